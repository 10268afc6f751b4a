//! The attributes that despool has, as a client may ask for them: by name or by group.

use super::wire::NameGroups;

/// Attributes of a printer that are its job template (RFC 8011 §5.2).
pub(super) const JOB_TEMPLATE: &[&str] = &[
    "copies-default",
    "copies-supported",
    "despool-datatype-default",
    "despool-datatype-supported",
    "job-hold-until-default",
    "job-hold-until-supported",
    "job-priority-default",
    "job-priority-supported",
    "multiple-document-handling-default",
    "multiple-document-handling-supported",
];

/// Attributes of a printer that describe it (RFC 8011 §5.4).
pub(super) const PRINTER_DESCRIPTION: &[&str] = &[
    "charset-configured",
    "charset-supported",
    "compression-supported",
    "device-uri",
    "document-format-default",
    "document-format-supported",
    "generated-natural-language-supported",
    "ipp-versions-supported",
    "job-creation-attributes-supported",
    "job-k-octets-supported",
    "multiple-document-jobs-supported",
    "multiple-operation-time-out",
    "multiple-operation-time-out-action",
    "natural-language-configured",
    "operations-supported",
    "pdl-override-supported",
    "printer-current-time",
    "printer-device-id",
    "printer-id",
    "printer-info",
    "printer-is-accepting-jobs",
    "printer-is-shared",
    "printer-location",
    "printer-make-and-model",
    "printer-more-info",
    "printer-name",
    "printer-state",
    "printer-state-change-date-time",
    "printer-state-change-time",
    "printer-state-message",
    "printer-state-reasons",
    "printer-type",
    "printer-up-time",
    "printer-uri-supported",
    "printer-uuid",
    "queued-job-count",
    "uri-authentication-supported",
    "uri-security-supported",
    "which-jobs-supported",
];

/// Attributes of a job that describe it (RFC 8011 §5.3).
pub(super) const JOB_DESCRIPTION: &[&str] = &[
    "date-time-at-completed",
    "date-time-at-creation",
    "date-time-at-processing",
    "despool-accepted-bytes",
    "despool-attempts",
    "despool-confirmed-bytes",
    "despool-maybe-on-paper-bytes",
    "despool-recovery",
    "despool-total-bytes",
    "document-format-supplied",
    "job-id",
    "job-impressions-completed",
    "job-k-octets",
    "job-k-octets-processed",
    "job-media-sheets-completed",
    "job-more-info",
    "job-name",
    "job-originating-host-name",
    "job-originating-user-name",
    "job-printer-up-time",
    "job-printer-uri",
    "job-state",
    "job-state-message",
    "job-state-reasons",
    "job-uri",
    "job-uuid",
    "number-of-documents",
    "number-of-intervening-jobs",
    "time-at-completed",
    "time-at-creation",
    "time-at-processing",
];

/// Attributes of a job that were asked for.
pub(super) const JOB_TICKET: &[&str] =
    &["copies", "despool-datatype", "job-hold-until", "job-priority"];

/// Groups of a printer's attributes.
pub(super) const OF_PRINTER: NameGroups<'static> = NameGroups {
    groups: &[("job-template", JOB_TEMPLATE), ("printer-description", PRINTER_DESCRIPTION)],
    only_by_name: &[],
};

/// Groups of a job's attributes.
pub(super) const OF_JOB: NameGroups<'static> = NameGroups {
    groups: &[("job-template", JOB_TICKET), ("job-description", JOB_DESCRIPTION)],
    only_by_name: &[],
};

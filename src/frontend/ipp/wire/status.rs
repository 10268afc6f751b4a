//! The status codes of IPP, by number and by name.

registry! {
    /// A status-code: IANA's "IPP Status Codes" (RFC 8011 Appendix B, RFC 3380, RFC 3995, PWG 5100.x), and CUPS's
    /// own `cups-see-other`. The codes that were reserved and never standardised are in the list too.
    Status(u16) {
        Ok = 0x0000, "successful-ok";
        OkIgnoredOrSubstitutedAttributes = 0x0001, "successful-ok-ignored-or-substituted-attributes";
        OkConflictingAttributes = 0x0002, "successful-ok-conflicting-attributes";
        OkIgnoredSubscriptions = 0x0003, "successful-ok-ignored-subscriptions";
        OkIgnoredNotifications = 0x0004, "successful-ok-ignored-notifications";
        OkTooManyEvents = 0x0005, "successful-ok-too-many-events";
        OkButCancelSubscription = 0x0006, "successful-ok-but-cancel-subscription";
        OkEventsComplete = 0x0007, "successful-ok-events-complete";
        RedirectionOtherSite = 0x0200, "redirection-other-site";
        CupsSeeOther = 0x0280, "cups-see-other";
        BadRequest = 0x0400, "client-error-bad-request";
        Forbidden = 0x0401, "client-error-forbidden";
        NotAuthenticated = 0x0402, "client-error-not-authenticated";
        NotAuthorized = 0x0403, "client-error-not-authorized";
        NotPossible = 0x0404, "client-error-not-possible";
        Timeout = 0x0405, "client-error-timeout";
        NotFound = 0x0406, "client-error-not-found";
        Gone = 0x0407, "client-error-gone";
        RequestEntityTooLarge = 0x0408, "client-error-request-entity-too-large";
        RequestValueTooLong = 0x0409, "client-error-request-value-too-long";
        DocumentFormatNotSupported = 0x040A, "client-error-document-format-not-supported";
        AttributesOrValuesNotSupported = 0x040B, "client-error-attributes-or-values-not-supported";
        UriSchemeNotSupported = 0x040C, "client-error-uri-scheme-not-supported";
        CharsetNotSupported = 0x040D, "client-error-charset-not-supported";
        ConflictingAttributes = 0x040E, "client-error-conflicting-attributes";
        CompressionNotSupported = 0x040F, "client-error-compression-not-supported";
        CompressionError = 0x0410, "client-error-compression-error";
        DocumentFormatError = 0x0411, "client-error-document-format-error";
        DocumentAccessError = 0x0412, "client-error-document-access-error";
        AttributesNotSettable = 0x0413, "client-error-attributes-not-settable";
        IgnoredAllSubscriptions = 0x0414, "client-error-ignored-all-subscriptions";
        TooManySubscriptions = 0x0415, "client-error-too-many-subscriptions";
        IgnoredAllNotifications = 0x0416, "client-error-ignored-all-notifications";
        PrintSupportFileNotFound = 0x0417, "client-error-print-support-file-not-found";
        DocumentPasswordError = 0x0418, "client-error-document-password-error";
        DocumentPermissionError = 0x0419, "client-error-document-permission-error";
        DocumentSecurityError = 0x041A, "client-error-document-security-error";
        DocumentUnprintableError = 0x041B, "client-error-document-unprintable-error";
        AccountInfoNeeded = 0x041C, "client-error-account-info-needed";
        AccountClosed = 0x041D, "client-error-account-closed";
        AccountLimitReached = 0x041E, "client-error-account-limit-reached";
        AccountAuthorizationFailed = 0x041F, "client-error-account-authorization-failed";
        NotFetchable = 0x0420, "client-error-not-fetchable";
        InternalError = 0x0500, "server-error-internal-error";
        OperationNotSupported = 0x0501, "server-error-operation-not-supported";
        ServiceUnavailable = 0x0502, "server-error-service-unavailable";
        VersionNotSupported = 0x0503, "server-error-version-not-supported";
        DeviceError = 0x0504, "server-error-device-error";
        TemporaryError = 0x0505, "server-error-temporary-error";
        NotAcceptingJobs = 0x0506, "server-error-not-accepting-jobs";
        Busy = 0x0507, "server-error-busy";
        JobCanceled = 0x0508, "server-error-job-canceled";
        MultipleDocumentJobsNotSupported = 0x0509, "server-error-multiple-document-jobs-not-supported";
        PrinterIsDeactivated = 0x050A, "server-error-printer-is-deactivated";
        TooManyJobs = 0x050B, "server-error-too-many-jobs";
        TooManyDocuments = 0x050C, "server-error-too-many-documents";
    }
}

impl Status {
    /// True for the `successful` class, 0x0000 to 0x00FF (RFC 8011 Appendix B).
    pub const fn is_success(self) -> bool {
        self.code() <= 0x00FF
    }
}

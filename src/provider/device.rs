//! What is known of a device, from all that can tell: the port, its lines, its language.
//!
//! Pure: facts in, `printer-state-reasons` out.

use despool_hw::Line;

use crate::monitor::language::{Finding, Reason, Status, Supply, line_status};
use crate::monitor::port::News;

/// What is known of one printer's device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Device {
    /// `None` until the port has said something.
    pub(crate) presence: Option<Presence>,
    line: Line,
    stalled: bool,
    language: Status,
    /// Its IEEE 1284 device id, or what it calls itself.
    pub(crate) identity: Option<String>,
    /// What it says it has left.
    pub(crate) supplies: Vec<Supply>,
    /// Pages that it has printed in its life.
    pub(crate) page_count: Option<u64>,
}

/// Whether the device is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Presence {
    /// It is.
    Present,
    /// It is not, and why.
    Absent(String),
}

impl Device {
    /// Takes in what the port says.
    pub(crate) fn hear(&mut self, news: News) {
        match news {
            News::Present { device_id, .. } => {
                self.presence = Some(Presence::Present);
                self.identity = device_id.or_else(|| self.identity.take());
            }
            News::Absent { why } => {
                let identity = self.identity.take();
                *self = Self { presence: Some(Presence::Absent(why)), identity, ..Self::default() };
            }
            News::Line(line) => self.line = line,
            News::Stalled(stalled) => self.stalled = stalled,
            News::Back { .. } => {}
        }
    }

    /// Takes in what the language says.
    pub(crate) fn set_status(&mut self, status: Status) {
        self.language = status;
    }

    /// Takes in what else the language found out.
    pub(crate) fn learn(&mut self, finding: Finding) {
        match finding {
            // A device id says more than a name.
            Finding::Identity(_) if self.identity.as_ref().is_some_and(|id| id.contains(':')) => {}
            Finding::Identity(identity) => self.identity = Some(identity),
            Finding::Supplies(supplies) => self.supplies = supplies,
            Finding::PageCount(pages) => self.page_count = Some(pages),
            Finding::Status(status) => self.set_status(status),
            Finding::Pages(_) | Finding::Printed { .. } => {}
        }
    }

    /// True where a job can begin.
    pub(crate) fn is_present(&self) -> bool {
        matches!(self.presence, Some(Presence::Present))
    }

    /// Why the printer is as it is; empty where all is well.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut reasons = self.language.reasons.clone();
        if matches!(self.presence, Some(Presence::Absent(_))) {
            reasons.push(Reason::stops("offline"));
        }
        // The lines know less than a language: what it gives a reason for is no other error.
        let known = reasons.iter().any(|reason| reason.stops);
        let line = line_status(self.line).reasons.into_iter();
        reasons.extend(line.filter(|reason| !known || reason.keyword == "media-empty"));
        if self.stalled && !reasons.iter().any(|reason| reason.stops) {
            reasons.push(Reason::stops("timed-out"));
        }
        Status::new(reasons, "").reasons
    }

    /// The same in a sentence, for people.
    pub(crate) fn message(&self) -> String {
        if let Some(Presence::Absent(why)) = &self.presence {
            return why.clone();
        }
        if !self.language.message.is_empty() {
            return self.language.message.clone();
        }
        let words: Vec<&str> =
            self.reasons().iter().map(|reason| describe(reason.keyword)).collect();
        words.join(", ")
    }
}

/// A keyword as IPP shows it (RFC 8011 §5.4.12): what stops the device stands alone, being off line is a report (nobody
/// has to repair anything), the rest are warnings.
pub(crate) fn keyword(reason: Reason) -> String {
    match (reason.keyword, reason.stops) {
        ("offline", _) => "offline-report".to_owned(),
        (keyword, true) => keyword.to_owned(),
        (keyword, false) => format!("{keyword}-warning"),
    }
}

fn describe(keyword: &str) -> &str {
    match keyword {
        "media-empty" => "out of paper",
        "media-jam" => "paper jam",
        "media-low" => "paper is low",
        "cover-open" => "the cover is open",
        "toner-low" => "toner is low",
        "offline" => "off line",
        "timed-out" => "the device takes no data",
        "other" => "the device reports an error",
        "marker-supply-empty" => "out of ribbon, ink or toner",
        "trimmer-jam" => "the cutter is stuck",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(device: &Device) -> Vec<String> {
        device.reasons().into_iter().map(keyword).collect()
    }

    #[test]
    fn all_that_can_tell_is_heard() {
        let facts = despool_hw::PortFacts {
            back_channel: true,
            job_is_connection: false,
            keeps_place: true,
        };
        let mut device = Device::default();
        assert!(!device.is_present());
        device.hear(News::Present { facts, device_id: None });
        assert!(device.is_present() && device.reasons().is_empty() && device.message().is_empty());
        device.hear(News::Line(Line {
            paper_out: Some(true),
            online: Some(true),
            ..Line::default()
        }));
        assert_eq!(
            (keywords(&device), device.message().as_str()),
            (vec!["media-empty".into()], "out of paper")
        );
        device.set_status(Status {
            reasons: vec![Reason::stops("media-empty"), Reason::warns("toner-low")],
            message: "LOAD A4".into(),
        });
        assert_eq!(keywords(&device), ["media-empty", "toner-low-warning"]);
        assert_eq!(device.message(), "LOAD A4");
        device.hear(News::Stalled(true));
        assert_eq!(
            keywords(&device),
            ["media-empty", "toner-low-warning"],
            "the stall has a known reason"
        );
        device.hear(News::Absent { why: "unplugged".into() });
        assert_eq!(
            (keywords(&device), device.message().as_str()),
            (vec!["offline-report".into()], "unplugged")
        );
    }

    #[test]
    fn a_stall_without_a_reason_is_one() {
        let mut device = Device::default();
        device.hear(News::Stalled(true));
        assert_eq!(keywords(&device), ["timed-out"]);
        device.hear(News::Stalled(false));
        assert!(device.reasons().is_empty());
    }
}

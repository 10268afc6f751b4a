//! What a device was found to say, in the words of IPP.

use despool_spool::JobId;

/// What a device was found to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// How it is. What a device does not say any more (or never said) is the empty status.
    Status(Status),
    /// It has printed this many pages of the running job.
    Pages(u32),
    /// It has printed a job to its end.
    Printed {
        /// The job, where that is known.
        job: Option<JobId>,
        /// Pages of it, where the device counts them.
        pages: Option<u32>,
    },
    /// What it is.
    Identity(String),
    /// All its supplies, as far as it tells of them.
    Supplies(Vec<Supply>),
    /// Pages (labels, receipts) that it has printed in its life.
    PageCount(u64),
}

/// How a device says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `printer-state-reasons` keywords (RFC 8011 §5.4.12, IANA registry), without severity.
    pub reasons: Vec<Reason>,
    /// What its display shows, or what it says beyond the reasons.
    pub message: String,
}

impl Status {
    /// A status with each reason once, in order, and no warning of what stops the device anyway.
    pub fn new(reasons: impl IntoIterator<Item = Reason>, message: impl Into<String>) -> Self {
        let mut reasons: Vec<Reason> = reasons.into_iter().collect();
        // Of the same keyword, what stops comes first and stays.
        reasons.sort_unstable_by_key(|reason| (reason.keyword, !reason.stops));
        reasons.dedup_by_key(|reason| reason.keyword);
        Self { reasons, message: message.into() }
    }

    /// True where the device does not print.
    pub fn stops(&self) -> bool {
        self.reasons.iter().any(|reason| reason.stops)
    }
}

/// A reason for the state of a printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// The keyword.
    pub keyword: &'static str,
    /// Whether it keeps the device from printing.
    pub stops: bool,
}

impl Reason {
    /// A condition that keeps the device from printing.
    pub const fn stops(keyword: &'static str) -> Self {
        Self { keyword, stops: true }
    }

    /// A condition that people should know of.
    pub const fn warns(keyword: &'static str) -> Self {
        Self { keyword, stops: false }
    }
}

/// Something that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// What the device calls it.
    pub name: String,
    /// What it is.
    pub kind: SupplyKind,
    /// Its colour as `#RRGGBB`; `None` where it has none or does not say.
    pub color: Option<&'static str>,
    /// How much is left, in percent; `None` where the device does not say.
    pub percent: Option<u8>,
}

/// What a supply is (`marker-types`, PWG 5100.13 §5.6.27 and the Printer MIB's `PrtMarkerSuppliesTypeTC`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupplyKind {
    /// Toner.
    Toner,
    /// Ink.
    Ink,
    /// A photoconductor (drum).
    Opc,
    /// A fuser.
    Fuser,
    /// A transfer unit (belt).
    TransferUnit,
    /// What catches waste toner.
    WasteToner,
    /// Something else.
    Other,
}

impl SupplyKind {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Toner => "toner",
            Self::Ink => "ink",
            Self::Opc => "opc",
            Self::Fuser => "fuser",
            Self::TransferUnit => "transfer-unit",
            Self::WasteToner => "waste-toner",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_there_once_and_what_stops_wins() {
        let status = Status::new(
            [
                Reason::warns("toner-low"),
                Reason::warns("media-empty"),
                Reason::stops("media-empty"),
                Reason::warns("toner-low"),
            ],
            "LOAD",
        );
        assert_eq!(status.reasons, [Reason::stops("media-empty"), Reason::warns("toner-low")]);
        assert!(status.stops() && !Status::default().stops());
    }
}

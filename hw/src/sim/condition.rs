//! What is wrong with a simulated printer.

/// The state of the printer as its sensors see it. Every language derives its answers from this one value, so that
/// they agree with each other whatever holds at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// No paper (media) left.
    pub paper_out: bool,
    /// Little paper left; the printer goes on printing.
    pub paper_low: bool,
    /// The cover (a label printer's head) is open.
    pub cover_open: bool,
    /// An operator took it off line (paused it).
    pub offline: bool,
    /// The cash drawer is open.
    pub drawer_open: bool,
}

impl Condition {
    /// On line: it prints. Paper out and an open cover take a printer off line by themselves.
    pub fn online(self) -> bool {
        !(self.paper_out || self.cover_open || self.offline)
    }

    /// What the near-end sensor says: a roll that has ended is also near its end.
    pub fn near_end(self) -> bool {
        self.paper_low || self.paper_out
    }

    /// A fault of the device, apart from the operator's wish.
    pub fn faulty(self) -> bool {
        self.paper_out || self.cover_open
    }
}

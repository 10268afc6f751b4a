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
    /// The ribbon has ended.
    pub ribbon_out: bool,
    /// The cutter is stuck.
    pub cutter_jam: bool,
    /// The head is too hot; it will cool down by itself.
    pub overheated: bool,
    /// An error that only a repair ends.
    pub broken: bool,
    /// How much of the toner was used, in percent.
    pub toner_used: u8,
}

impl Condition {
    /// On line: it prints. Every fault takes a printer off line by itself.
    pub fn online(self) -> bool {
        !(self.faulty() || self.offline)
    }

    /// Toner that is left, in percent.
    pub fn toner(self) -> u8 {
        100_u8.saturating_sub(self.toner_used)
    }

    /// What the near-end sensor says: a roll that has ended is also near its end.
    pub fn near_end(self) -> bool {
        self.paper_low || self.paper_out
    }

    /// A fault of the device, apart from the operator's wish.
    pub fn faulty(self) -> bool {
        self.paper_out
            || self.cover_open
            || self.ribbon_out
            || self.cutter_jam
            || self.overheated
            || self.broken
    }
}

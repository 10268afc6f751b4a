//! What becomes of a job that was cut off half-way: one table.
//!
//! | cut off by | device | offset | `auto` does |
//! | --- | --- | --- | --- |
//! | a part of the server | stands where it stood | exact | resume |
//! | our own end (crash, stop) | keeps its place (serial, parallel, USB, file) | exact | resume |
//! | | keeps its place | uncertain | hold |
//! | | drops the job with the connection | any | restart; done, if it had accepted everything |
//! | loss of power | nobody knows | uncertain | hold |
//! | the device going away | dropped it | any | restart |
//!
//! `restart`, `resume` and `hold` do what they say, whatever happened. Whatever is done, the job's record says so, and how
//! many bytes may have been on paper before.

use despool_hw::DeviceUri;
use despool_spool::{Cause, Deed, Played};

use crate::config::Recover;

/// What is known of a job that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutOff {
    /// What did it.
    pub(crate) cause: Cause,
    /// What the driver had.
    pub(crate) played: Played,
    /// The record of that is exact.
    pub(crate) certain: bool,
    /// Everything, in bytes as played; `None` where the document is not whole yet.
    pub(crate) total: Option<u64>,
    /// The device keeps its place when we die.
    pub(crate) keeps_place: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// This.
    pub(crate) deed: Verdicts,
    /// Bytes that may be on paper already.
    pub(crate) maybe_on_paper: u64,
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdicts {
    /// Nothing: the device has all of it.
    Done,
    /// It goes on, starts again, or waits.
    Recover(Deed),
}

impl CutOff {
    /// What the policy says.
    pub(crate) fn verdict(self, policy: Recover) -> Verdict {
        let deed = match policy {
            Recover::Restart => Verdicts::Recover(Deed::Restarted),
            Recover::Resume => Verdicts::Recover(Deed::Resumed),
            Recover::Hold => Verdicts::Recover(Deed::Held),
            Recover::Auto => self.auto(),
        };
        let untouched = self.played.offered == 0 && self.cause != Cause::PowerLoss;
        let deed = if untouched { Verdicts::Recover(Deed::Resumed) } else { deed };
        Verdict { deed, maybe_on_paper: self.maybe_on_paper() }
    }

    fn auto(self) -> Verdicts {
        let complete = self.certain && self.total == Some(self.played.accepted);
        match self.cause {
            Cause::DeviceGone => Verdicts::Recover(Deed::Restarted),
            Cause::PowerLoss => Verdicts::Recover(Deed::Held),
            Cause::ActorDied => {
                Verdicts::Recover(if self.certain { Deed::Resumed } else { Deed::Held })
            }
            Cause::Crash | Cause::Parked if !self.certain => Verdicts::Recover(Deed::Held),
            // What the kernel had accepted it sent, also after our end.
            Cause::Crash | Cause::Parked if complete => Verdicts::Done,
            Cause::Crash | Cause::Parked if self.keeps_place => Verdicts::Recover(Deed::Resumed),
            Cause::Crash | Cause::Parked => Verdicts::Recover(Deed::Restarted),
        }
    }

    fn maybe_on_paper(self) -> u64 {
        match self.cause {
            Cause::PowerLoss => self.total.unwrap_or(self.played.offered).max(self.played.offered),
            _ => self.played.offered,
        }
    }
}

/// Whether the device behind a URI stands where it stood after our process died and opened the port again.
pub(crate) fn keeps_place(uri: &DeviceUri) -> bool {
    match uri {
        DeviceUri::Serial(_) | DeviceUri::Parallel(_) | DeviceUri::Usb(_) | DeviceUri::File(_) => {
            true
        }
        DeviceUri::Socket(_) => false,
        // The simulated printer lives in our process and dies with it.
        DeviceUri::Sim(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_off(cause: Cause, accepted: u64, offered: u64, keeps_place: bool) -> CutOff {
        let played = Played { accepted, offered };
        CutOff { cause, played, certain: played.is_certain(), total: Some(100), keeps_place }
    }

    #[test]
    fn the_table_of_auto() {
        use Verdicts::{Done, Recover as Do};
        for (cause, accepted, offered, keeps_place, expected) in [
            (Cause::ActorDied, 40, 40, false, Do(Deed::Resumed)),
            (Cause::Crash, 40, 40, true, Do(Deed::Resumed)),
            (Cause::Crash, 40, 50, true, Do(Deed::Held)),
            (Cause::Crash, 40, 40, false, Do(Deed::Restarted)),
            (Cause::Crash, 40, 50, false, Do(Deed::Held)),
            (Cause::Crash, 100, 100, false, Done),
            (Cause::Crash, 100, 100, true, Done),
            (Cause::Parked, 40, 40, true, Do(Deed::Resumed)),
            (Cause::PowerLoss, 40, 40, true, Do(Deed::Held)),
            (Cause::DeviceGone, 40, 40, true, Do(Deed::Restarted)),
            (Cause::Crash, 0, 0, false, Do(Deed::Resumed)),
            (Cause::PowerLoss, 0, 0, true, Do(Deed::Held)),
        ] {
            let verdict = cut_off(cause, accepted, offered, keeps_place).verdict(Recover::Auto);
            assert_eq!(verdict.deed, expected, "{cause:?} {accepted} {offered} {keeps_place}");
        }
    }

    #[test]
    fn the_other_policies_do_what_they_say() {
        for (policy, deed) in [
            (Recover::Restart, Deed::Restarted),
            (Recover::Resume, Deed::Resumed),
            (Recover::Hold, Deed::Held),
        ] {
            let verdict = cut_off(Cause::DeviceGone, 40, 45, true).verdict(policy);
            assert_eq!(verdict, Verdict { deed: Verdicts::Recover(deed), maybe_on_paper: 45 });
        }
        let power = cut_off(Cause::PowerLoss, 40, 40, true).verdict(Recover::Restart);
        assert_eq!(power.maybe_on_paper, 100, "after a loss of power all of it may be on paper");
    }
}

//! Waiting for a file.
//!
//! FIFOs and good drivers say in `poll` when they have room. Others (`/dev/lpN` has no `poll` at all) always claim to
//! have: after a refusal these are asked again on a ladder of waits. That a FIFO is empty nobody tells either.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::{FilePort, Kind, Refused};
use crate::fault::gone;
use crate::poll::{after, earlier, look, poll};
use crate::{Bell, Error, Interest, Ready};

const TROUBLE: PollFlags = PollFlags::ERR.union(PollFlags::HUP).union(PollFlags::NVAL);

impl FilePort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        loop {
            let mut ready = Ready {
                drained: interest.drained && self.is_drained()?,
                line: interest.line && self.told_full != self.is_full(),
                ..Ready::default()
            };
            let retry = self.retry_at(interest)?;
            let soonest = match ready == Ready::default() {
                true => earlier(until, retry),
                false => Some(Instant::now()),
            };
            // A driver whose `poll` cannot be believed is not polled: only the ladder's time counts.
            let (rang, room) = self.sleep(interest.write && retry.is_none(), bell, soonest)?;
            let now = Instant::now();
            let try_again = interest.write && self.refused.is_some();
            ready.bell = rang && bell.hush();
            ready.write = room || (try_again && retry.is_some_and(|at| at <= now));
            if ready != Ready::default() || until.is_some_and(|until| until <= now) {
                return Ok(ready);
            }
        }
    }

    /// When to look again at what `poll` does not tell.
    fn retry_at(&mut self, interest: Interest) -> Result<Option<Instant>, Error> {
        let refused = self.refused.filter(|_| interest.write);
        Ok(match (refused, self.kind) {
            (Some(Refused::Full), _) => after(self.full.step()),
            (Some(Refused::Busy), Kind::Device) if self.claims_room()? => after(self.busy.step()),
            (Some(Refused::Busy), Kind::Device) => None,
            _ if interest.drained => after(self.unread.step()),
            _ => None,
        })
    }

    /// Waits for the bell, for room if `watch`, or until `until`: which of the two it was.
    fn sleep(
        &self,
        watch: bool,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<(bool, bool), Error> {
        let mut fds = [PollFd::new(bell, PollFlags::IN), PollFd::new(&self.fd, PollFlags::OUT)];
        // A FIFO without a reader wakes every poll: its descriptor is left out where nobody asks.
        let (asked, _) = fds.split_at_mut(if watch { 2 } else { 1 });
        poll(asked, until).map_err(|errno| self.failed("waiting", errno))?;
        let mut woken = asked.iter().map(|fd| !fd.revents().is_empty());
        Ok((woken.next() == Some(true), woken.next() == Some(true)))
    }

    /// A FIFO is empty when its reader has taken everything, a device when its driver has finished what it took (with
    /// `usblp`, closing before that would discard it).
    fn is_drained(&self) -> Result<bool, Error> {
        match self.kind {
            Kind::Plain => Ok(true),
            Kind::Device => self.claims_room(),
            Kind::Fifo if self.unread()? == 0 => Ok(true),
            Kind::Fifo if self.reader_has_gone()? => {
                Err(gone(&self.name, "its reader went before it had read everything"))
            }
            Kind::Fifo => Ok(false),
        }
    }

    /// True where `poll` says now that a write would be taken.
    fn claims_room(&self) -> Result<bool, Error> {
        Ok(self.look()? == PollFlags::OUT)
    }

    pub(super) fn reader_has_gone(&self) -> Result<bool, Error> {
        Ok(self.look()?.intersects(TROUBLE))
    }

    fn look(&self) -> Result<PollFlags, Error> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
        look(&mut fds).map_err(|errno| self.failed("waiting", errno))?;
        let [fd] = fds;
        Ok(fd.revents())
    }
}

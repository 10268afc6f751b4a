//! Waiting for a USB printer: one poll over two bells, and the next thing to do by time.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::UsbPort;
use crate::fault::failed;
use crate::poll::{earlier, poll};
use crate::{Bell, Error, Interest, Ready};

impl UsbPort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        let mut rang = false;
        loop {
            self.take_in();
            let mut ready = self.ready(interest)?;
            ready.bell = rang && bell.hush();
            self.in_job &= !ready.drained;
            if ready != Ready::default() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(ready);
            }
            rang = self.sleep(bell, earlier(until, self.next_look()))?;
        }
    }

    /// Sleeps until something ends, the bell rings, or `until`; true if it was the bell.
    pub(super) fn sleep(&mut self, bell: &Bell, until: Option<Instant>) -> Result<bool, Error> {
        let mut fds = [PollFd::new(&self.done, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
        poll(&mut fds, until).map_err(|errno| failed(&self.name, "waiting", errno))?;
        let [done, rang] = fds.map(|fd| !fd.revents().is_empty());
        if done {
            self.done.hush();
        }
        Ok(rang)
    }

    fn ready(&self, interest: Interest) -> Result<Ready, Error> {
        if self.broken.is_some() && !(interest.read && self.hearing.has_some()) {
            // Whatever was asked for would report the error; a wait for nothing else says it itself.
            self.alive()?;
        }
        Ok(Ready {
            write: interest.write && self.mending.is_none() && self.flights.room() > 0,
            read: interest.read && self.hearing.has_some(),
            line: interest.line && self.told != self.line_now(),
            drained: interest.drained && self.in_flight_now() == 0,
            bell: false,
        })
    }

    /// When something is to be done that no completion will ring for.
    fn next_look(&self) -> Option<Instant> {
        let stall = self.flights.stall_due();
        earlier(earlier(self.hearing.due(), self.status.due()), stall)
    }
}

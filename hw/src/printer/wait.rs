//! Waiting for a printer behind a node: one poll over what the driver tells, the bell, and timers for what it does not.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::PrinterPort;
use crate::fault::gone;
use crate::limits::{
    NODE_INBOX_BYTES, PARALLEL_LISTEN, PARALLEL_LISTEN_FLOWING, USB_STATUS_BUSY,
    USB_STATUS_FLOWING, USB_STATUS_IDLE,
};
use crate::poll::{earlier, poll};
use crate::{Bell, Error, Interest, Ready};

impl PrinterPort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        let mut retry = self.retry_at(interest);
        // What is there already is not waited for.
        let mut at = match self.ready(interest, retry) == Ready::default() {
            true => earlier(earlier(until, retry), self.next_look(interest)),
            false => Some(Instant::now()),
        };
        loop {
            let (rang, says) = self.sleep(interest, bell, at)?;
            let now = Instant::now();
            self.listen(interest, says, now)?;
            self.ask(now)?;
            let ready = Ready { bell: rang && bell.hush(), ..self.ready(interest, retry) };
            self.in_job &= !ready.drained;
            if ready != Ready::default() || until.is_some_and(|until| until <= now) {
                return Ok(ready);
            }
            if retry.is_some_and(|at| at <= now) {
                retry = self.retry_at(interest);
            }
            at = earlier(earlier(until, retry), self.next_look(interest));
        }
    }

    /// What is known now, without a look at the device.
    fn ready(&self, interest: Interest, retry: Option<Instant>) -> Ready {
        // What tells of room: the driver, or the ladder's time.
        let room = !self.refused || retry.is_some_and(|at| at <= Instant::now());
        Ready {
            write: interest.write && self.held == 0 && room,
            read: interest.read && !self.inbox.is_empty(),
            line: interest.line && self.told != self.line_now(),
            drained: interest.drained && self.held == 0,
            bell: false,
        }
    }

    /// When to offer bytes again to a driver that tells nothing.
    fn retry_at(&mut self, interest: Interest) -> Option<Instant> {
        let blind = self.refused && self.driver.telling().is_none();
        (interest.write && blind)
            .then(|| self.ladder.step())
            .and_then(|wait| Instant::now().checked_add(wait))
    }

    /// When to look at what nobody tells of.
    fn next_look(&self, interest: Interest) -> Option<Instant> {
        // A driver that tells is looked at by time only where it said nothing, and would say so without end.
        let by_time = self.driver.telling().is_none() || self.listen_at > Instant::now();
        let listens = self.listens(interest) && by_time;
        earlier(Some(self.ask_at), listens.then_some(self.listen_at))
    }

    fn listens(&self, interest: Interest) -> bool {
        self.back_channel && interest.read && self.inbox.len() < NODE_INBOX_BYTES
    }

    /// Sleeps until the driver or the bell says something, or `until`: whether the bell rang, and whether the driver tells of
    /// words of the printer. That the driver holds nothing any more is noted.
    fn sleep(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<(bool, bool), Error> {
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, self.listens(interest) && self.listen_at <= Instant::now());
        // usblp claims room as long as it holds nothing: only a transfer under way is worth waiting for.
        let waits = (interest.write || interest.drained) && (self.held > 0 || self.refused);
        asked.set(PollFlags::OUT, waits);
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        let telling = self.driver.telling();
        fds.extend(telling.as_ref().map(|fd| PollFd::new(fd, asked)));
        poll(&mut fds, until).map_err(|errno| self.failed("waiting", errno))?;
        let mut said = fds.iter().map(PollFd::revents);
        let rang = said.next().is_some_and(|said| !said.is_empty());
        let said = said.next().unwrap_or(PollFlags::empty());
        if said.intersects(PollFlags::HUP | PollFlags::ERR) {
            return Err(gone(&self.name, "it was unplugged or switched off"));
        }
        if said.contains(PollFlags::OUT) {
            (self.held, self.refused) = (0, false);
        }
        Ok((rang, said.contains(PollFlags::IN)))
    }

    /// Takes in what the printer says; `says`: the driver tells that there is something.
    fn listen(&mut self, interest: Interest, says: bool, now: Instant) -> Result<(), Error> {
        let tells = self.driver.telling().is_some();
        if !self.listens(interest) || now < self.listen_at || (tells && !says) {
            return Ok(());
        }
        let mut buf = [0; 1024];
        match self.driver.read(&mut buf) {
            Err(Errno::AGAIN | Errno::INTR) if tells => {}
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => {
                let flows = self.in_job && !self.refused && !tells;
                let every = if flows { PARALLEL_LISTEN_FLOWING } else { PARALLEL_LISTEN };
                self.listen_at = later(now, every);
            }
            // usblp: its read was taken back by a reset.
            Err(Errno::IO) if tells => {}
            Err(errno) => return Err(self.failed("reading", errno)),
            Ok(count) => {
                self.inbox.extend_from_slice(buf.get(..count).unwrap_or_default());
                self.listen_at = now;
            }
        }
        Ok(())
    }

    /// Asks how the printer is, when it is time.
    fn ask(&mut self, now: Instant) -> Result<(), Error> {
        let every = if self.in_job { USB_STATUS_BUSY } else { USB_STATUS_IDLE };
        self.ask_at = self.ask_at.min(later(now, every));
        if self.ask_at <= now {
            let status = self.driver.status();
            self.status = status.map_err(|errno| self.failed("asking for the status", errno))?;
            self.asked_at = Instant::now();
            self.ask_at = later(self.asked_at, every);
        }
        Ok(())
    }

    /// The printer takes data, which asking would hold up: it is asked when it stops doing so, or after a while.
    pub(super) fn put_off_asking(&mut self) {
        let latest = later(self.asked_at, USB_STATUS_FLOWING);
        self.ask_at = self.ask_at.max(later(Instant::now(), USB_STATUS_BUSY).min(latest));
    }
}

fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

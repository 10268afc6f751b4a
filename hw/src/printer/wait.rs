//! Waiting for a printer behind a node: one poll over what the driver tells, the bell, and timers for what it does not.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::{PrinterPort, Writer};
use crate::fault::gone;
use crate::limits::{
    NODE_INBOX_BYTES, PARALLEL_LISTEN, PARALLEL_LISTEN_FLOWING, USB_STATUS_BUSY,
    USB_STATUS_FLOWING, USB_STATUS_IDLE, USBLP_DEAD, USBLP_LISTEN,
};
use crate::poll::{earlier, look, poll};
use crate::{Bell, Error, Interest, Ready};

/// What a sleep has heard.
struct Heard {
    /// The bell.
    rang: bool,
    /// The device takes data again, after it had stopped.
    goes_on: bool,
    /// The driver tells of words of the printer.
    says: bool,
}

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
            let Heard { rang, goes_on, says } = self.sleep(interest, bell, at)?;
            let now = Instant::now();
            self.listen(interest, says, now)?;
            self.ask(now)?;
            let ready = Ready { bell: rang && bell.hush(), ..self.ready(interest, retry) };
            if ready.drained {
                self.in_job = false;
            }
            if ready != Ready::default() || goes_on || until.is_some_and(|until| until <= now) {
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
        // What tells of room: the thread, or the ladder's time.
        let room = match &self.writer {
            Some(writer) => writer.has_room(),
            None => !self.refused || retry.is_some_and(|at| at <= Instant::now()),
        };
        Ready {
            write: interest.write && room,
            read: interest.read && !self.inbox.is_empty(),
            line: interest.line && self.told != self.line_now(),
            drained: interest.drained && self.is_idle(),
            bell: false,
        }
    }

    /// When to offer bytes again to a driver that tells nothing.
    fn retry_at(&mut self, interest: Interest) -> Option<Instant> {
        (interest.write && self.refused)
            .then(|| self.ladder.step())
            .and_then(|wait| Instant::now().checked_add(wait))
    }

    /// When to look at what nobody tells of.
    fn next_look(&self, interest: Interest) -> Option<Instant> {
        // A driver that tells is looked at by time only where it said nothing, and would say so without end.
        let by_time = !self.is_told() || self.listen_at > Instant::now();
        let listens = self.listens(interest) && by_time;
        earlier(Some(self.ask_at), listens.then_some(self.listen_at))
    }

    /// True where the driver tells that the printer has said something. Who waits for that is woken with each transfer, too.
    fn is_told(&self) -> bool {
        self.driver.telling().is_some() && !self.flows_fast()
    }

    /// True where the driver waits for a dead printer, and would let us wait too.
    fn is_deaf(&self) -> bool {
        self.dead && !self.is_idle()
    }

    fn flows_fast(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.is_fast() && !writer.is_idle())
    }

    fn listens(&self, interest: Interest) -> bool {
        self.back_channel && interest.read && self.inbox.len() < NODE_INBOX_BYTES
    }

    /// Sleeps until the driver, the thread or the bell says something, or `until`.
    fn sleep(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Heard, Error> {
        let (listens, deaf) = (self.listens(interest), self.is_deaf());
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, listens && self.listen_at <= Instant::now());
        let told = self.is_told() && !deaf;
        let moved = self.writer.as_ref().map(Writer::moved);
        let node = self.driver.telling();
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        fds.extend(moved.map(|moved| PollFd::new(moved, PollFlags::IN)));
        let node_at = fds.len();
        fds.extend(node.as_ref().filter(|_| told).map(|node| PollFd::new(node, asked)));
        poll(&mut fds, until).map_err(|errno| self.failed("waiting", errno))?;
        let said = |at: usize| fds.get(at).map_or(PollFlags::empty(), PollFd::revents);
        let (rang, moved) = (!said(0).is_empty(), moved.is_some_and(Bell::hush));
        let mut says = said(node_at);
        let looks = listens && !told && !deaf && self.listen_at <= Instant::now();
        if let Some(node) = node.as_ref().filter(|_| looks) {
            let mut node = [PollFd::new(node, PollFlags::IN)];
            look(&mut node).map_err(|errno| self.failed("listening", errno))?;
            says = node.iter().map(PollFd::revents).collect();
        }
        if moved {
            self.settle()?;
            self.put_off_asking(Instant::now());
        }
        if says.intersects(PollFlags::HUP | PollFlags::ERR) {
            return Err(gone(&self.name, "it was unplugged or switched off"));
        }
        let goes_on = moved && self.writer.as_ref().is_some_and(Writer::has_stood);
        Ok(Heard { rang, goes_on, says: says.contains(PollFlags::IN) })
    }

    /// Takes in what the printer says; `says`: the driver tells that there is something.
    fn listen(&mut self, interest: Interest, says: bool, now: Instant) -> Result<(), Error> {
        let tells = self.driver.telling().is_some();
        if !self.listens(interest) || now < self.listen_at {
            return Ok(());
        }
        if tells && !says {
            if self.flows_fast() || self.is_deaf() {
                self.listen_at = later(now, USBLP_LISTEN);
            }
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
            // usblp: its read was taken back by a reset, or the printer has halted.
            Err(Errno::IO) if tells => self.listen_at = later(now, PARALLEL_LISTEN),
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
            // A dead printer takes seconds not to answer.
            let paused = self.writer.as_ref().map(Writer::pause);
            let status = self.driver.status();
            drop(paused);
            self.dead = now.elapsed() >= USBLP_DEAD;
            self.status = status.map_err(|errno| self.failed("asking for the status", errno))?;
            self.asked_at = Instant::now();
            self.ask_at = later(self.asked_at, every);
        }
        Ok(())
    }

    /// The printer takes data, which asking would hold up: it is asked when it stops doing so, or after a while.
    pub(super) fn put_off_asking(&mut self, now: Instant) {
        let latest = later(self.asked_at, USB_STATUS_FLOWING);
        self.ask_at = self.ask_at.max(later(now, USB_STATUS_BUSY).min(latest));
    }
}

fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

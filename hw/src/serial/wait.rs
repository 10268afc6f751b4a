//! Waiting for a serial line.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::SerialPort;
use super::brake::Brake;
use super::tty;
use crate::fault::{unsupported, why};
use crate::limits::{LINE_RECHECK, QUEUE_CHECK_FIRST, QUEUE_CHECK_LAST, TTY_READ_BYTES};
use crate::poll::{after, earlier, poll};
use crate::{Bell, Error, Flow, Interest, Ready};

const TROUBLE: PollFlags = PollFlags::ERR.union(PollFlags::HUP).union(PollFlags::NVAL);

impl SerialPort {
    pub(super) fn wait_for(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        // The first look does not wait.
        let mut at = Some(Instant::now());
        loop {
            let (rang, room) = self.sleep(interest, bell, at)?;
            self.take_in();
            let mut ready = self.ready(interest, room)?;
            ready.bell = rang && bell.hush();
            if ready != Ready::default() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(ready);
            }
            at = earlier(until, self.next_look(interest)?);
        }
    }

    /// Sleeps until something comes or `until`: whether the bell rang, and whether the driver has room.
    fn sleep(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<(bool, bool), Error> {
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, self.room_in() > 0);
        asked.set(PollFlags::OUT, interest.write && self.room()? > 0);
        let changed = self.watcher.as_ref().map_or(bell, |watcher| &watcher.changed);
        let mut fds = vec![PollFd::new(bell, PollFlags::IN), PollFd::new(changed, PollFlags::IN)];
        // A line that has been hung up would wake every poll.
        let polled = self.tty.as_ref().filter(|_| self.hung_up.is_none());
        fds.extend(polled.map(|tty| PollFd::from_borrowed_fd(tty::borrow(tty), asked)));
        let woken = poll(&mut fds, until);
        let mut said = fds.iter().map(PollFd::revents);
        let [rang, changed, line] = [(); 3].map(|()| said.next().unwrap_or(PollFlags::empty()));
        woken.map_err(|errno| self.failed("waiting", errno))?;
        if line.intersects(TROUBLE) && !line.contains(PollFlags::IN) {
            self.hung_up.get_or_insert(Errno::IO);
        }
        if !changed.is_empty() {
            self.lines_changed()?;
        }
        Ok((!rang.is_empty(), line.contains(PollFlags::OUT)))
    }

    /// Takes the watcher's ring; lets it go if it cannot watch.
    fn lines_changed(&mut self) -> Result<(), Error> {
        let Some(watcher) = &self.watcher else { return Ok(()) };
        let Some(errno) = watcher.ended() else {
            watcher.changed.hush();
            return Ok(());
        };
        let no_such_call = matches!(errno, Errno::NOTTY | Errno::INVAL | Errno::NOSYS);
        if no_such_call && matches!(self.brake, Brake::Dsr(_)) {
            // The bell stays rung: every wait says so.
            let why = format!("its driver cannot wait for modem lines: {}", why(errno));
            return Err(unsupported(&self.name, "flow=dtrdsr", why));
        }
        self.watcher = None;
        Ok(())
    }

    /// What can be said now. `room`: the driver says that it has room.
    fn ready(&mut self, interest: Interest, room: bool) -> Result<Ready, Error> {
        let read = interest.read && !self.inbox.is_empty();
        if self.hung_up.is_some() {
            // Whoever asks for these gets the error from them, after the last byte that came.
            let ready = Ready { read: interest.read, write: interest.write, ..Ready::default() };
            return if ready == Ready::default() {
                self.alive().map(|()| ready)
            } else {
                Ok(ready)
            };
        }
        self.refused &= !room;
        self.note_stall()?;
        // Before the room: nothing is sent to a printer that is off line.
        let line = (interest.line || interest.write) && self.line_now()? != self.told;
        Ok(Ready {
            read,
            write: interest.write && room && self.room()? > 0,
            line: interest.line && line,
            drained: interest.drained && self.is_drained()?,
            bell: false,
        })
    }

    fn is_drained(&self) -> Result<bool, Error> {
        Ok(self.queued()? == 0 && !self.is_sending())
    }

    fn note_stall(&mut self) -> Result<(), Error> {
        if self.stall.is_none() {
            return Ok(());
        }
        let queued = self.queued()?;
        let (left, waiting) = (self.taken_ever.saturating_sub(queued), queued > 0 || self.refused);
        if let Some(stall) = &mut self.stall {
            stall.note(left, waiting, Instant::now());
        }
        Ok(())
    }

    /// When to look at what nobody tells.
    fn next_look(&self, interest: Interest) -> Result<Option<Instant>, Error> {
        let mut at = None;
        if interest.drained {
            // With an empty queue it is the FIFO that is still at it.
            at = after(self.queue_check(self.queued()?.max(1)));
        }
        if interest.write && (self.off_line || matches!(self.brake, Brake::Dsr(_))) {
            at = earlier(at, after(LINE_RECHECK));
        }
        if let Some(window) = self.window_bytes.filter(|_| interest.write) {
            at = earlier(at, after(self.queue_check(window as u64 / 2)));
        }
        if let Some(stall) = self.stall.as_ref().filter(|_| interest.line) {
            let due = if stall.held() { after(LINE_RECHECK) } else { stall.due() };
            at = earlier(at, due);
        }
        Ok(at)
    }

    /// How long until a queue of this many bytes should be empty.
    fn queue_check(&self, bytes: u64) -> Duration {
        self.pace.time(bytes).clamp(QUEUE_CHECK_FIRST, QUEUE_CHECK_LAST)
    }

    /// How many bytes that come in are to be taken. Under XON/XOFF whatever comes: an XON behind unread bytes must be
    /// seen.
    fn room_in(&self) -> usize {
        if self.uri.flow == Flow::Soft { TTY_READ_BYTES } else { self.inbox.room() }
    }

    /// Takes in what has come, as far as it fits; notices a hang-up.
    pub(super) fn take_in(&mut self) {
        let mut buf = [0; TTY_READ_BYTES];
        while self.hung_up.is_none() {
            let room = self.room_in().min(TTY_READ_BYTES);
            let Some(into) = buf.get_mut(..room).filter(|into| !into.is_empty()) else { return };
            match self.fd().and_then(|fd| rustix::io::read(fd, into)) {
                // With VMIN 1 nothing is EAGAIN; this is the end.
                Ok(0) => self.hung_up = Some(Errno::IO),
                Ok(count) => self.put(buf.get(..count).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(errno) => self.hung_up = Some(errno),
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        match &mut self.brake {
            Brake::Xoff(held) => self.inbox.put_without_flow(bytes, held),
            Brake::Driver | Brake::Dsr(_) => self.inbox.put(bytes),
        }
    }
}

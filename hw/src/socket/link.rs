//! One TCP connection.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, ioctl};
use rustix::net::sockopt::{set_socket_linger, set_tcp_user_timeout};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};

use super::options::{self, millis};
use crate::limits::{ACK_WAIT, PEER_SILENCE, STALL, WRITE_BYTES};
use crate::stall::Stall;
use crate::{Canceled, Interest, Lent};

/// `linux/sockios.h`: bytes not acknowledged (the same number as `TIOCOUTQ`), and bytes not sent yet.
const SIOCOUTQ: Opcode = libc::TIOCOUTQ as Opcode;
const SIOCOUTQNSD: Opcode = 0x894B;

/// A connection, and what is known of it.
#[derive(Debug)]
pub(super) struct Link {
    fd: OwnedFd,
    /// Bytes taken in this job, and ever.
    pub(super) taken: u64,
    taken_ever: u64,
    /// The printer has closed its side, and all that it sent was read.
    read_end: bool,
    /// We have closed ours.
    our_end: bool,
    /// The printer has closed its side; unread bytes may be left.
    pub(super) their_end: bool,
    /// Why it is broken, if that is known: the kernel tells it only once, and after the last byte that came.
    broken: Option<Errno>,
    /// It is broken.
    pub(super) reset: bool,
    stall: Stall,
    /// Since when every byte has been sent, as far as was looked.
    sent: Option<Instant>,
    /// The kernel was told not to give the printer up.
    patient: bool,
}

impl Link {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            taken: 0,
            taken_ever: 0,
            read_end: false,
            our_end: false,
            their_end: false,
            broken: None,
            reset: false,
            stall: Stall::new(STALL),
            sent: None,
            patient: false,
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// True where another job can go out on it.
    pub(super) fn is_usable(&self) -> bool {
        !self.our_end && !self.has_ended()
    }

    /// True when nothing more can come.
    pub(super) fn has_ended(&self) -> bool {
        self.read_end || self.broken.is_some()
    }

    /// True when the kernel has nothing more to tell: it is broken, or both sides are closed.
    pub(super) fn is_over(&self) -> bool {
        self.reset || (self.our_end && self.their_end)
    }

    /// What to ask the kernel for. What is known is not asked again, or it would wake every poll.
    pub(super) fn asks(&self, interest: Interest) -> PollFlags {
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::IN, interest.read && !self.read_end);
        asked.set(PollFlags::RDHUP, !self.their_end);
        asked.set(PollFlags::OUT, interest.write);
        asked
    }

    /// Takes the kernel's answer.
    pub(super) fn told(&mut self, said: PollFlags) {
        self.their_end |= said.intersects(PollFlags::RDHUP | PollFlags::HUP);
        let both_closed = said.contains(PollFlags::HUP) && !self.our_end;
        self.reset |= both_closed || said.intersects(PollFlags::ERR | PollFlags::NVAL);
    }

    /// Why it is broken.
    pub(super) fn why(&self) -> Errno {
        self.broken.unwrap_or(Errno::CONNRESET)
    }

    /// True while the printer takes no bytes, as of the last [`Self::note_window`].
    pub(super) fn stall(&self) -> &Stall {
        &self.stall
    }

    /// Sends; how many bytes were taken. Never raises `SIGPIPE`.
    pub(super) fn send(&mut self, lent: Lent<'_>) -> Result<usize, Errno> {
        match send(&self.fd, lent.first(WRITE_BYTES).bytes, SendFlags::NOSIGNAL) {
            Ok(count) => {
                let more = u64::try_from(count).unwrap_or(0);
                self.sent = None;
                self.taken = self.taken.saturating_add(more);
                self.taken_ever = self.taken_ever.saturating_add(more);
                Ok(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            // The document's fault, not the connection's.
            Err(Errno::FAULT) => Err(Errno::FAULT),
            Err(errno) => Err(self.break_off(errno)),
        }
    }

    /// Receives; zero: nothing now, or the end. A broken connection gives what came before it broke.
    pub(super) fn receive(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        if buf.is_empty() {
            return Ok(0);
        }
        match recv(&self.fd, &mut *buf, RecvFlags::empty()) {
            Ok((_, 0)) => {
                self.read_end = true;
                if self.reset { Err(self.why()) } else { Ok(0) }
            }
            Ok((count, _)) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(self.break_off(errno)),
        }
    }

    /// True if there are bytes to receive. Notices the end, and that the connection is broken.
    pub(super) fn look(&mut self) -> bool {
        match recv(&self.fd, &mut [0u8; 1], RecvFlags::PEEK) {
            Ok((_, 0)) => self.read_end = true,
            Ok(_) => return true,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => {
                self.break_off(errno);
            }
        }
        false
    }

    /// Remembers the first reason.
    fn break_off(&mut self, errno: Errno) -> Errno {
        self.reset = true;
        *self.broken.get_or_insert(errno)
    }

    pub(super) fn close_our_side(&mut self) -> Result<(), Errno> {
        shutdown(&self.fd, Shutdown::Write).map_err(|errno| self.break_off(errno))?;
        self.our_end = true;
        self.sent = None;
        Ok(())
    }

    /// Bytes that the printer has not acknowledged.
    pub(super) fn unacknowledged(&self) -> Result<u64, Errno> {
        // SAFETY: SIOCOUTQ writes one int.
        let count = unsafe { ioctl(&self.fd, Getter::<SIOCOUTQ, i32>::new()) }?;
        Ok(self.without_end(count))
    }

    /// Bytes that were not sent.
    fn unsent(&self) -> Result<u64, Errno> {
        Ok(self.without_end(self.unsent_count()?))
    }

    /// The same, our end counted too.
    fn unsent_count(&self) -> Result<i32, Errno> {
        // SAFETY: SIOCOUTQNSD writes one int.
        unsafe { ioctl(&self.fd, Getter::<SIOCOUTQNSD, i32>::new()) }
    }

    /// The end of our side counts as one byte while it is on the way.
    fn without_end(&self, count: i32) -> u64 {
        u64::try_from(count).unwrap_or(0).saturating_sub(u64::from(self.our_end))
    }

    /// Bytes that the printer has not acknowledged, for the last word on a job.
    ///
    /// A printer that has read a job to its end may reset the connection at once. Its TCP need not have acknowledged the
    /// last bytes by then (it may wait for [`ACK_WAIT`]), and the acknowledgement that the reset itself carries is not
    /// counted by the kernel. So a reset within that time after everything was sent, our end too, says that the printer had
    /// it all; any other leaves the count as it is.
    pub(super) fn left(&self) -> Result<u64, Errno> {
        let is_fresh = self.sent.is_none_or(|since| since.elapsed() < ACK_WAIT);
        if self.reset && self.our_end && is_fresh && self.unsent_count()? == 0 {
            return Ok(0);
        }
        self.unacknowledged()
    }

    /// Looks whether the printer's window is closed: bytes wait, and none is on the way. While it is, the kernel must not
    /// give the printer up.
    pub(super) fn note_window(&mut self) -> Result<(), Errno> {
        let (unacknowledged, unsent) = (self.unacknowledged()?, self.unsent()?);
        let closed = unsent > 0 && unacknowledged == unsent;
        if unsent == 0 {
            self.sent.get_or_insert_with(Instant::now);
        }
        self.stall.note(self.taken_ever.saturating_sub(unacknowledged), closed, Instant::now());
        if self.stall.held() != self.patient {
            self.patient = self.stall.held();
            let limit = if self.patient { Duration::ZERO } else { PEER_SILENCE };
            set_tcp_user_timeout(&self.fd, millis(limit))?;
        }
        Ok(())
    }

    /// Closes with a reset; what became of the bytes.
    pub(super) fn reset(self) -> Canceled {
        // Failing, a few bytes may leave between the count and the reset.
        let _ = options::hear_nothing(&self.fd);
        let unacknowledged = self.unacknowledged().unwrap_or(self.taken).min(self.taken);
        let withdrawn_bytes = self.unsent().unwrap_or(0).min(unacknowledged);
        // Failing, it closes in order, which a dead printer does not notice either.
        let _ = set_socket_linger(&self.fd, Some(Duration::ZERO));
        Canceled { withdrawn_bytes, unknown_bytes: unacknowledged - withdrawn_bytes }
    }
}

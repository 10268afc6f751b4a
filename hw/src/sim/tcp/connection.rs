//! One connection to a TCP printer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::net::sockopt::set_socket_linger;

use super::record::{ConnectionEnd, Records};
use crate::limits::SIM_BACK_BYTES;
use crate::sim::device::SimHandle;
use crate::sim::edge::{Host, Intake, Pumped, send};
use crate::sim::model::Model;

/// What the printer wants of its wire.
pub(super) struct Wants {
    pub(super) plugged: bool,
    pub(super) plugs: u64,
    /// It takes bytes.
    pub(super) read: bool,
    /// Everything it took is printed.
    pub(super) idle: bool,
    /// It has something to say.
    pub(super) says: bool,
    pub(super) until: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    number: u64,
    intake: Intake,
    /// What the printer says and the host has not taken.
    out: Vec<u8>,
    taken: u64,
    /// The host closed its side.
    finishing: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, number: u64) -> Self {
        let (intake, out) = (Intake::default(), Vec::new());
        Self { stream, number, intake, out, taken: 0, finishing: false }
    }

    /// Its number among the records.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Sends something that the host did not ask for, if it reads what it gets.
    pub(super) fn say(&mut self, bytes: &[u8]) {
        if self.out.len() < SIM_BACK_BYTES {
            self.out.extend_from_slice(bytes);
        }
    }

    pub(super) fn interest(&self, wants: &Wants) -> PollFd<'_> {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, wants.read && !self.finishing);
        interest.set(PollFlags::OUT, !self.out.is_empty());
        PollFd::new(&self.stream, interest)
    }

    /// Is there something to do that the socket does not know of?
    pub(super) fn is_ready(&self, wants: &Wants, records: &Records) -> bool {
        let printed = self.finishing && wants.idle && self.out.is_empty();
        let waiting = wants.read && !self.intake.waiting().is_empty();
        printed || waiting || records.left(self.taken) == Some(0)
    }

    /// Does what there is to do; false: the connection is over. `aside` gets what the printer said by itself
    /// meanwhile, for the other connections.
    pub(super) fn serve(
        &mut self,
        printer: &SimHandle,
        records: &Records,
        aside: &mut Vec<u8>,
    ) -> bool {
        let pumped = match self.finishing {
            true => Pumped::Dry,
            false => self.pump(printer, records, aside),
        };
        if records.left(self.taken) == Some(0) {
            records.was_reset();
            return self.over(ConnectionEnd::Reset, printer, records);
        }
        if let Pumped::Broken = pumped {
            return self.over(ConnectionEnd::Broken, printer, records);
        }
        if let Pumped::End = pumped {
            self.finish(printer, records, aside);
        }
        let sent = send(&mut self.out, |bytes| self.stream.write(bytes));
        let broken = sent.is_err() || !matches!(self.stream.take_error(), Ok(None));
        let printed = || printer.with(|state, _| state.model.buffered() == 0);
        match self.finishing {
            false if broken => self.over(ConnectionEnd::Broken, printer, records),
            // A host that is gone altogether, after it sent all, does not matter to the job.
            true if broken || (self.out.is_empty() && printed()) => {
                self.over(ConnectionEnd::Finished, printer, records)
            }
            _ => true,
        }
    }

    fn pump(&mut self, printer: &SimHandle, records: &Records, aside: &mut Vec<u8>) -> Pumped {
        let limit = records.left(self.taken).unwrap_or(usize::MAX);
        let (intake, mut talk) = self.talk(records, aside);
        intake.pump(printer, limit, &mut talk)
    }

    /// The host has said all it has to say.
    fn finish(&mut self, printer: &SimHandle, records: &Records, aside: &mut Vec<u8>) {
        let (_, mut talk) = self.talk(records, aside);
        printer.with(|state, now| {
            talk.hear(&mut state.model, false);
            state.model.end_of_job(now);
            talk.hear(&mut state.model, true);
        });
        self.finishing = true;
    }

    fn talk<'a>(
        &'a mut self,
        records: &'a Records,
        aside: &'a mut Vec<u8>,
    ) -> (&'a mut Intake, Talk<'a>) {
        let Self { stream, number, intake, out, taken, .. } = self;
        (intake, Talk { stream, number: *number, out, taken, records, aside })
    }

    fn over(&mut self, end: ConnectionEnd, printer: &SimHandle, records: &Records) -> bool {
        if end == ConnectionEnd::Reset {
            self.reset_on_close();
        }
        records.close(self.number, end);
        if !self.finishing {
            printer.with(|state, now| state.model.break_job(now));
        }
        false
    }

    /// The cable is pulled.
    pub(super) fn reset(self, records: &Records) {
        self.reset_on_close();
        records.close(self.number, ConnectionEnd::Reset);
    }

    fn reset_on_close(&self) {
        // Where it fails, the host sees an orderly end instead, which is what a printer's crash may look like, too.
        let _ = set_socket_linger(&self.stream, Some(Duration::ZERO));
    }
}

/// The host at the other end, while its bytes are taken.
struct Talk<'a> {
    stream: &'a mut TcpStream,
    number: u64,
    out: &'a mut Vec<u8>,
    taken: &'a mut u64,
    records: &'a Records,
    aside: &'a mut Vec<u8>,
}

impl Host for Talk<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buf)
    }

    fn took(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            *self.taken = self.taken.saturating_add(bytes.len() as u64);
            self.records.took(self.number, bytes);
        }
    }

    fn hear(&mut self, model: &mut Model, asked: bool) {
        let mut said = Vec::new();
        model.reply(&mut said);
        // Who does not read misses something, as with a real printer whose buffer for answers is full.
        if self.out.len() < SIM_BACK_BYTES {
            self.out.extend_from_slice(&said);
        }
        if !asked {
            self.aside.extend_from_slice(&said);
        }
    }
}

//! The port that leads to a simulated printer inside the server.
//!
//! The wire is as real as it can be without a kernel: a byte is accepted when the printer took it; conditions of the
//! printer hold it back and show in [`Line`]; unplugging breaks it for good, and only a port opened after plugging in
//! works again. The wire can tell when the printer has printed what it took: `drained` waits for that.
//!
//! The one invariant: mapped bytes are copied by `pread`, never read (see [`Lent::copy_to`]).

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::Language;
use super::device::{SimHandle, State, Watch};
use super::registry::Key;
use crate::limits::SIM_READ_BYTES;
use crate::poll::{earlier, poll};
use crate::{Bell, Canceled, Error, Interest, Lent, Line, Port, PortFacts, Ready, Tail};

/// An open port. There is one at a time.
pub(super) struct SimPort {
    key: Key,
    printer: SimHandle,
    /// Rung by every change at the printer that comes from outside.
    changed: Bell,
    _watch: Watch,
    /// How often the cable had been moved when this was opened; moved again, this port is broken for good.
    plugs: u64,
    buf: Box<[u8]>,
    /// What `line` last said: nothing yet, so that a fault from before the opening is news.
    line: Line,
    in_job: bool,
}

impl SimPort {
    pub(super) fn open(key: &Key, printer: SimHandle) -> Result<Self, Error> {
        let changed = Bell::new()?;
        let watch = printer.watch(changed.clone());
        let plugs = printer.with(|state, _| {
            if !state.model.plugged() {
                let why = "it is unplugged".to_owned();
                return Err(Error::Absent { port: key.to_string(), why });
            }
            if state.hosts > 0 {
                let why = "the port is open already".to_owned();
                return Err(Error::Busy { port: key.to_string(), why });
            }
            state.hosts = 1;
            Ok(state.plugs)
        })?;
        let buf = vec![0; SIM_READ_BYTES].into_boxed_slice();
        Ok(Self {
            key: key.clone(),
            printer,
            changed,
            _watch: watch,
            plugs,
            buf,
            line: Line::default(),
            in_job: false,
        })
    }

    /// Does something with the printer, if the cable was not moved since the port was opened.
    fn with<R>(&self, act: impl FnOnce(&mut State, Instant) -> R) -> Result<R, Error> {
        let done =
            self.printer.with(|state, now| (state.plugs == self.plugs).then(|| act(state, now)));
        done.ok_or_else(|| Error::Gone {
            port: self.key.to_string(),
            why: "it was unplugged".to_owned(),
        })
    }

    /// What holds now of what is of interest, and when to look again without being woken.
    fn look(&self, interest: Interest) -> (Ready, Option<Instant>) {
        let looked = self.with(|state, now| {
            let model = &state.model;
            let ready = Ready {
                write: interest.write && model.room(now) > 0,
                read: interest.read && model.back_waiting() > 0,
                line: interest.line && line(state) != self.line,
                drained: interest.drained && model.buffered() == 0,
                bell: false,
            };
            (ready, model.next_event(now))
        });
        // Where the printer is gone, whatever is asked for next says so.
        let Interest { write, read, line, drained } = interest;
        looked.unwrap_or((Ready { write, read, line, drained, bell: false }, None))
    }

    fn close_job(&mut self, complete: bool) -> Result<(), Error> {
        if !std::mem::take(&mut self.in_job) {
            return self.with(|_, _| ());
        }
        self.with(|state, now| match complete {
            true => state.model.end_of_job(now),
            false => state.model.break_job(now),
        })
    }
}

/// The lines, as a parallel port would have them.
fn line(state: &State) -> Line {
    let condition = state.model.condition();
    Line {
        paper_out: Some(condition.paper_out),
        online: Some(condition.online()),
        fault: Some(condition.faulty()),
        held_back: Some(state.model.busy()),
        modem: None,
    }
}

impl Drop for SimPort {
    fn drop(&mut self) {
        // Where the cable was moved, the job was cut off then.
        let _ = self.close_job(false);
        let _ = self.with(|state, _| {
            state.hosts = 0;
            state.ring();
        });
    }
}

impl Port for SimPort {
    fn facts(&self) -> PortFacts {
        // The printer dies with the process, and so does its place in the job.
        PortFacts { back_channel: true, job_is_connection: false, keeps_place: false }
    }

    fn begin_job(&mut self, _bell: &Bell, _until: Instant) -> Result<(), Error> {
        self.with(|state, _| state.model.begin_job())?;
        self.in_job = true;
        Ok(())
    }

    fn write(&mut self, lent: Lent<'_>) -> Result<usize, Error> {
        let room = self.with(|state, now| match lent.origin {
            crate::Origin::Job => state.model.room(now),
            crate::Origin::Monitor => state.model.wire_room(now),
        })?;
        let limit = room.min(self.buf.len());
        if limit == 0 || lent.bytes.is_empty() {
            return Ok(0);
        }
        let document = |source| Error::Document { port: self.key.to_string(), source };
        let buf = self.buf.get_mut(..limit).unwrap_or_default();
        let len = lent.copy_to(buf).map_err(document)?;
        if len == 0 {
            // The document is shorter than it was said to be.
            return Err(document(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let bytes = self.buf.get(..len).unwrap_or_default();
        self.with(|state, now| state.model.take(bytes, Some(lent.origin), now))
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        self.with(|state, _| state.model.read_back(buf))
    }

    fn wait(
        &mut self,
        interest: Interest,
        bell: &Bell,
        until: Option<Instant>,
    ) -> Result<Ready, Error> {
        loop {
            self.changed.hush();
            let (ready, next) = self.look(interest);
            if bell.hush() {
                return Ok(Ready { bell: true, ..ready });
            }
            let due = until.is_some_and(|until| until <= Instant::now());
            if ready != Ready::default() || due {
                return Ok(ready);
            }
            let mut fds = [&self.changed, bell].map(|bell| PollFd::new(bell, PollFlags::IN));
            poll(&mut fds, earlier(until, next)).map_err(|source| Error::Ours {
                doing: "waiting for a simulated printer",
                source: source.into(),
            })?;
        }
    }

    fn end_job(&mut self) -> Result<(), Error> {
        self.close_job(true)
    }

    fn tail(&mut self) -> Result<Tail, Error> {
        self.with(|state, _| match state.model.buffered() {
            0 => Tail::Empty,
            left => Tail::Bytes(left as u64),
        })
    }

    /// What the printer took stays with it, as with a real one: nothing is withdrawn.
    fn cancel(&mut self) -> Result<Canceled, Error> {
        // Gone is as good as canceled.
        let _ = self.close_job(false);
        Ok(Canceled::default())
    }

    fn line(&mut self) -> Result<Line, Error> {
        self.line = self.with(|state, _| line(state))?;
        Ok(self.line)
    }

    fn device_id(&mut self) -> Result<Option<String>, Error> {
        let (model, commands) = match self.key.language() {
            Language::Plain => ("plain", "RAW"),
            Language::Pjl => ("PJL", "PJL,PCL"),
            Language::Escpos => ("ESC/POS", "ESC/POS"),
            Language::Zpl => ("ZPL", "ZPL"),
            Language::Ieee1284_4 => ("1284.4", "1284.4"),
        };
        self.with(|_, _| ())?;
        Ok(Some(format!("MFG:despool;MDL:simulated {model} printer;CMD:{commands};CLS:PRINTER;")))
    }

    fn soft_reset(&mut self) -> Result<bool, Error> {
        self.with(|state, now| state.model.power_cycle(now))?;
        self.in_job = false;
        Ok(true)
    }
}

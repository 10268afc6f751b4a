//! The thread behind the listener: one `poll` for the listener, every connection and the bell.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::connection::{Connection, Wants};
use super::record::Records;
use super::{TcpOptions, listen};
use crate::limits::{RETRY_LAST, SIM_TCP_CONNECTIONS};
use crate::poll::{after, earlier, poll};
use crate::sim::device::SimHandle;
use crate::sim::edge::Stop;

/// The thread behind the listener.
pub(super) struct Edge {
    stop: Stop,
    printer: SimHandle,
    records: Arc<Records>,
    options: TcpOptions,
    listener: Option<TcpListener>,
    connections: Vec<Connection>,
    plugs: u64,
    /// Accepting failed: not again before then.
    deaf_until: Option<Instant>,
}

impl Edge {
    pub(super) fn new(
        stop: Stop,
        printer: SimHandle,
        records: Arc<Records>,
        options: TcpOptions,
        listener: TcpListener,
    ) -> Self {
        Self {
            stop,
            printer,
            records,
            options,
            listener: Some(listener),
            connections: Vec::new(),
            plugs: 0,
            deaf_until: None,
        }
    }

    pub(super) fn run(mut self) {
        self.printer.follow();
        let printer = self.printer.clone();
        let _watch = printer.watch(self.stop.bell.clone());
        while !self.stop.asked() {
            let wants = self.wants();
            if wants.plugs != self.plugs {
                self.follow_cable(&wants);
            } else if self.turn(&wants).is_err() {
                break;
            }
        }
    }

    fn wants(&self) -> Wants {
        let hosts = self.connections.len();
        self.printer.with(|state, now| {
            state.hosts = hosts;
            Wants {
                plugged: state.model.plugged(),
                plugs: state.plugs,
                read: state.model.wire_room(now) > 0,
                idle: state.model.buffered() == 0,
                says: state.model.back_waiting() > 0,
                until: state.model.next_event(now),
            }
        })
    }

    fn follow_cable(&mut self, wants: &Wants) {
        self.hang_up();
        self.listener = None;
        let address = self.options.address;
        let made = if wants.plugged { listen(address).map(Some) } else { Ok(None) };
        let fault = made.as_ref().err().map(|error| format!("cannot listen on {address}: {error}"));
        self.listener = made.unwrap_or(None);
        self.plugs = wants.plugs;
        self.printer.settled(wants.plugs, fault);
    }

    fn hang_up(&mut self) {
        for connection in self.connections.drain(..) {
            connection.reset(&self.records);
        }
        self.printer.with(|state, _| state.hosts = 0);
    }

    /// Waits for something to do, and does it.
    fn turn(&mut self, wants: &Wants) -> io::Result<()> {
        let limit = if self.options.many { SIM_TCP_CONNECTIONS } else { 1 };
        self.deaf_until = self.deaf_until.filter(|until| Instant::now() < *until);
        let listens = self.connections.len() < limit && self.deaf_until.is_none();
        let found = self.wait(wants, listens)?;
        self.stop.bell.hush();
        let mut found = found.into_iter();
        let knocked = found.next().unwrap_or(false);
        if knocked {
            // Before anything is said: who is connecting hears it, too.
            self.accept();
        }
        self.serve(found);
        if wants.says && !knocked {
            self.say();
        }
        Ok(())
    }

    /// Tells every connection what the printer says by itself; if there is none, nobody hears it.
    fn say(&mut self) {
        let mut said = Vec::new();
        self.printer.with(|state, _| state.model.reply(&mut said));
        self.connections.iter_mut().for_each(|connection| connection.say(&said));
    }

    /// Serves the connections that have something to do. What the printer said by itself meanwhile goes to the
    /// others, too.
    fn serve(&mut self, mut found: impl Iterator<Item = bool>) {
        let mut aside = Vec::new();
        let mut asides: Vec<(u64, Vec<u8>)> = Vec::new();
        let Self { connections, printer, records, .. } = self;
        connections.retain_mut(|connection| {
            let goes_on =
                !found.next().unwrap_or(false) || connection.serve(printer, records, &mut aside);
            if !aside.is_empty() {
                asides.push((connection.number(), std::mem::take(&mut aside)));
            }
            goes_on
        });
        for (number, said) in asides {
            let others = connections.iter_mut().filter(|connection| connection.number() != number);
            others.for_each(|connection| connection.say(&said));
        }
    }

    /// True for the listener, then for each connection, where there is something to do.
    fn wait(&self, wants: &Wants, listens: bool) -> io::Result<Vec<bool>> {
        let mut fds = vec![PollFd::new(&self.stop.bell, PollFlags::IN)];
        let listener = self.listener.as_ref().filter(|_| listens);
        let interest = if listener.is_some() { PollFlags::IN } else { PollFlags::empty() };
        match listener {
            Some(listener) => fds.push(PollFd::new(listener, interest)),
            None => fds.push(PollFd::new(&self.stop.bell, interest)),
        }
        fds.extend(self.connections.iter().map(|connection| connection.interest(wants)));
        let ready = |connection: &Connection| connection.is_ready(wants, &self.records);
        let until = match wants.says || self.connections.iter().any(ready) {
            true => Some(Instant::now()),
            false => earlier(wants.until, self.deaf_until),
        };
        poll(&mut fds, until)?;
        let mut found: Vec<bool> = fds.iter().skip(1).map(|fd| !fd.revents().is_empty()).collect();
        let known = found.iter_mut().skip(1).zip(&self.connections);
        known.for_each(|(found, connection)| *found |= ready(connection));
        Ok(found)
    }

    fn accept(&mut self) {
        let accepted = self.listener.as_ref().map(|listener| {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(true)?;
            Ok::<_, io::Error>(stream)
        });
        let Some(Ok(stream)) = accepted else {
            // Whoever knocked is gone, or we lack descriptors, which would make a loop of this.
            self.deaf_until = after(RETRY_LAST);
            return;
        };
        let number = self.records.open();
        self.connections.push(Connection::new(stream, number));
        let hosts = self.connections.len();
        self.printer.with(|state, _| {
            state.hosts = hosts;
            state.model.begin_job();
        });
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.hang_up();
        self.printer.unfollow();
    }
}

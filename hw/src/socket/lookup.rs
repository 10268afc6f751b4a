//! Finding a host's addresses, within a deadline and with an ear for the bell.
//!
//! `getaddrinfo` can take minutes where DNS is dead, and cannot be broken off. It runs on a thread of its own; a caller
//! that does not want to wait any longer leaves it there, and finds its answer the next time. So a port never has more
//! than one, and the process no more than [`LOOKUPS`].

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use rustix::event::{PollFd, PollFlags};

use crate::fault::{absent, failed};
use crate::limits::{ADDRESSES, LOOKUPS};
use crate::poll::poll;
use crate::{Bell, Error, Host, SocketUri};

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

type Answer = io::Result<Vec<SocketAddr>>;
type Resolve = dyn Fn(&str, u16) -> Answer + Send + Sync;

/// Looks hosts up, one at a time.
pub(super) struct Lookup {
    resolve: Arc<Resolve>,
    pending: Option<Pending>,
}

/// A look-up under way.
struct Pending {
    answer: Receiver<Answer>,
    /// Rung when the answer is there.
    done: Bell,
}

impl Default for Lookup {
    fn default() -> Self {
        Self::by(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lookup").field("pending", &self.pending.is_some()).finish_non_exhaustive()
    }
}

impl Lookup {
    pub(super) fn by(resolve: impl Fn(&str, u16) -> Answer + Send + Sync + 'static) -> Self {
        Self { resolve: Arc::new(resolve), pending: None }
    }

    /// The addresses of a host, at most [`ADDRESSES`] of them and at least one.
    pub(super) fn addresses(
        &mut self,
        uri: &SocketUri,
        bell: &Bell,
        until: Instant,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Error> {
        let host = match &uri.host {
            Host::V4(address) => return Ok(vec![(IpAddr::V4(*address), uri.port).into()]),
            Host::V6(address, None) => return Ok(vec![(IpAddr::V6(*address), uri.port).into()]),
            Host::V6(address, Some(zone)) => format!("{address}%{zone}"),
            Host::Name(host) => host.clone(),
        };
        let pending = match self.pending.take() {
            Some(pending) => pending,
            None => self.begin(host.clone(), uri.port, name)?,
        };
        let mut fds = [PollFd::new(&pending.done, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
        poll(&mut fds, Some(until)).map_err(|errno| failed(name, "looking the host up", errno))?;
        let [done, rang] = fds.map(|fd| !fd.revents().is_empty());
        if done {
            return found(&pending.answer, &host, name);
        }
        self.pending = Some(pending);
        if rang && bell.hush() {
            return Err(Error::Rang { port: name.to_owned() });
        }
        Err(absent(name, format!("no name server told the address of {host} in time")))
    }

    fn begin(&self, host: String, port: u16, name: &str) -> Result<Pending, Error> {
        let Some(place) = Place::take() else {
            return Err(absent(
                name,
                format!("{LOOKUPS} look-ups are waiting for name servers already"),
            ));
        };
        let (tell, answer) = bounded(1);
        let done = Bell::new()?;
        let (ring, resolve) = (done.clone(), Arc::clone(&self.resolve));
        let spawned = std::thread::Builder::new().name("look-up".into()).spawn(move || {
            let _place = place;
            // Rung also if the look-up panics.
            let _ring = RingAtEnd(ring);
            // Nobody hears it if the port was closed meanwhile.
            let _ = tell.send(resolve(&host, port));
        });
        let ours = |source| Error::Ours { doing: "starting a thread that looks a host up", source };
        spawned.map_err(ours)?;
        Ok(Pending { answer, done })
    }
}

fn found(answer: &Receiver<Answer>, host: &str, name: &str) -> Result<Vec<SocketAddr>, Error> {
    match answer.try_recv() {
        Ok(Ok(mut addresses)) if !addresses.is_empty() => {
            addresses.truncate(ADDRESSES);
            Ok(addresses)
        }
        Ok(Ok(_)) => Err(absent(name, format!("{host} has no address"))),
        Ok(Err(error)) => Err(absent(name, format!("the address of {host} is not known: {error}"))),
        Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
            Err(absent(name, format!("looking up {host} broke off")))
        }
    }
}

/// One of the [`LOOKUPS`] that may be under way.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |count: usize| (count < LOOKUPS).then_some(count + 1);
        UNDER_WAY.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok().then_some(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
    }
}

struct RingAtEnd(Bell);

impl Drop for RingAtEnd {
    fn drop(&mut self) {
        self.0.ring();
    }
}

//! How often somebody may be wrong about a password.
//!
//! ```text
//!   Free ── wrong, so many in a row ──► Pausing ── the pause is over ──► one more try: wrong: a longer pause
//!     ▲                                                                      └──────── right: Free
//!     └── right, or nothing for a while
//! ```
//!
//! Counted for each account and each address it is tried from, so that nobody can lock somebody else out. During a pause
//! whatever is proved is refused, right or wrong, so that nothing can be learned in it.
//!
//! Invariant: the table is bounded; where it is full, who was quiet for longest is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Exchange, Refusal, Step};
use crate::accounts::name;
use crate::rpc::limits::{
    WRONG_FORGOTTEN, WRONG_PASSWORDS, WRONG_PAUSE_FIRST, WRONG_PAUSE_LAST, WRONG_TRACKED,
};

/// See the module.
#[derive(Default)]
pub struct Throttle(Mutex<Table>);

type Table = HashMap<(String, IpAddr), Wrong>;

/// Somebody who was wrong.
struct Wrong {
    times: u32,
    last: Instant,
}

impl Wrong {
    /// When it may be tried again.
    fn pause_over(&self) -> Instant {
        let beyond = self.times.checked_sub(WRONG_PASSWORDS);
        let pause = beyond.map_or(Duration::ZERO, |beyond| {
            let doubled = 1u32.checked_shl(beyond).unwrap_or(u32::MAX);
            WRONG_PAUSE_FIRST.saturating_mul(doubled).min(WRONG_PAUSE_LAST)
        });
        self.last + pause
    }
}

impl Throttle {
    /// Watches over an exchange with a client at this address.
    pub fn watch(
        self: &Arc<Self>,
        exchange: Box<dyn Exchange>,
        address: IpAddr,
    ) -> Box<dyn Exchange> {
        Box::new(Watched { exchange, address, throttle: self.clone() })
    }

    /// Whether what this account proves from there counts now.
    fn admits(&self, account: &str, address: IpAddr, now: Instant) -> bool {
        let table = self.table();
        table.get(&key(account, address)).is_none_or(|wrong| wrong.pause_over() <= now)
    }

    /// It was wrong.
    fn wrong(&self, account: &str, address: IpAddr, now: Instant) {
        let mut table = self.table();
        let key = key(account, address);
        table.retain(|_, wrong| wrong.last + WRONG_FORGOTTEN > now);
        if table.len() >= WRONG_TRACKED && !table.contains_key(&key) {
            let oldest = table.iter().min_by_key(|(_, wrong)| wrong.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                table.remove(&oldest);
            }
        }
        let wrong = table.entry(key).or_insert(Wrong { times: 0, last: now });
        // Who tries in the pause does not make it longer.
        if wrong.pause_over() <= now {
            wrong.times = wrong.times.saturating_add(1);
            wrong.last = now;
        }
    }

    /// It was right.
    fn right(&self, account: &str, address: IpAddr) {
        self.table().remove(&key(account, address));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held: a poisoned table is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account without its domain, which is the client's to choose; of an IPv6 address the network, within which a machine
/// is free to choose.
fn key(account: &str, address: IpAddr) -> (String, IpAddr) {
    let bare = account.rsplit_once('\\').map_or(account, |(_, bare)| bare);
    let bare = bare.split_once('@').map_or(bare, |(bare, _)| bare);
    let address = match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    };
    (name::canonical(bare), address)
}

struct Watched {
    exchange: Box<dyn Exchange>,
    address: IpAddr,
    throttle: Arc<Throttle>,
}

impl Exchange for Watched {
    fn step(&mut self, token: &[u8]) -> Step {
        let step = self.exchange.step(token);
        let now = Instant::now();
        match step {
            Step::Done { token, session, peer: Some(peer) } => {
                let account = peer.name.to_string();
                if !self.throttle.admits(&account, self.address, now) {
                    return Step::Refused(Refusal::TooOften { account });
                }
                self.throttle.right(&account, self.address);
                Step::Done { token, session, peer: Some(peer) }
            }
            Step::Refused(Refusal::Denied { account }) => {
                self.throttle.wrong(&account, self.address, now);
                Step::Refused(Refusal::Denied { account })
            }
            step => step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    /// The pause after so many wrong ones.
    fn pause(throttle: &Throttle, now: Instant) -> Duration {
        let seconds = |n: &u64| throttle.admits("ann", HERE, now + Duration::from_secs(*n));
        Duration::from_secs((0..1000).find(seconds).unwrap())
    }

    #[test]
    fn a_pause_that_grows_and_ends() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        for n in 1..WRONG_PASSWORDS {
            throttle.wrong("W\\Ann", HERE, now);
            assert_eq!(pause(&throttle, now), Duration::ZERO, "{n}");
        }
        let mut expected = WRONG_PAUSE_FIRST;
        for _ in 0..12 {
            throttle.wrong("ANN@W", HERE, now);
            // What is tried meanwhile makes it no longer.
            throttle.wrong("ann", HERE, now + expected / 2);
            assert_eq!(pause(&throttle, now), expected);
            assert!(throttle.admits("ann", THERE, now) && throttle.admits("bob", HERE, now));
            now += expected;
            expected = (expected * 2).min(WRONG_PAUSE_LAST);
        }
        assert_eq!(expected, WRONG_PAUSE_LAST);
        throttle.right("ann", HERE);
        throttle.wrong("ann", HERE, now);
        assert_eq!(pause(&throttle, now), Duration::ZERO);
    }

    #[test]
    fn it_is_forgotten_and_bounded() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let wrong = |account: &str, at| (0..20).for_each(|_| throttle.wrong(account, HERE, at));
        wrong("ann", now);
        assert!(!throttle.admits("ann", HERE, now));
        wrong("bob", now + WRONG_FORGOTTEN);
        assert_eq!(throttle.table().len(), 1);
        for n in 0..=WRONG_TRACKED {
            throttle.wrong(&format!("u{n}"), HERE, now + WRONG_FORGOTTEN + WRONG_PAUSE_FIRST);
        }
        assert_eq!(throttle.table().len(), WRONG_TRACKED);
        assert!(throttle.table().keys().all(|(account, _)| account != "bob"));
    }

    #[test]
    fn one_machine_has_one_address() {
        let same = |a: &str, b: &str| key("x", a.parse().unwrap()) == key("x", b.parse().unwrap());
        assert!(same("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(same("2001:db8::1", "2001:db8::2:3"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    }
}

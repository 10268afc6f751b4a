//! What systemd is told: sd_notify(3), by hand in a few lines.
//!
//! A datagram to the socket named in `NOTIFY_SOCKET`; nothing happens where there is none.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::Interval;

/// True where systemd started us and takes our log.
pub(crate) fn is_parent() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() || std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Tells a state: `READY=1`, `STOPPING=1` …
pub(crate) fn notify(state: &str) {
    let Some(path) = std::env::var("NOTIFY_SOCKET").ok() else { return };
    let sent = || {
        let to = match path.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&path)?,
        };
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &to)
    };
    if let Err(error) = sent() {
        tracing::debug!(%error, state, "systemd was not told");
    }
}

/// Tells that the configuration is read again. The time lets systemd know which `READY=1` is the answer.
pub(crate) fn reloading() {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
}

/// Ticks at half of what `WATCHDOG_USEC` allows; `None` where nobody watches.
pub(crate) fn watchdog() -> Option<Interval> {
    let micros: u64 =
        std::env::var("WATCHDOG_USEC").ok()?.parse().ok().filter(|micros| *micros > 1)?;
    Some(tokio::time::interval(Duration::from_micros(micros / 2)))
}

/// The next tick; never where there is no watchdog.
pub(crate) async fn tick(watchdog: &mut Option<Interval>) {
    match watchdog {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

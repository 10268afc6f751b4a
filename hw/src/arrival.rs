//! Waiting for a device that is not there, or that somebody else has.
//!
//! ```text
//!   open fails ──► Arrival::new ──► wait ──► MayBeThere ──► open ──► fails again ──► wait …
//!                                    ▲ bell, deadline
//! ```
//!
//! A node that does not exist is not polled for: inotify tells when it comes, when the directory that it will be in
//! comes, when the symbolic link that leads to it changes, and when udev has set its permissions. A node that *is* there
//! and cannot be opened is tried when another program closes it, and now and then, since most reasons tell nobody when they
//! end. So are hosts of the network. USB printers are looked for when the kernel says that some device came.
//!
//! The one invariant: a device that comes is not missed, whenever that happens. Each wait sets its watches first and
//! looks then.

mod watch;

use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::stat;

use crate::discover::sysfs::Root;
use crate::fault::failed;
use crate::limits::{ARRIVAL_FIRST, ARRIVAL_LAST, HOST_RETRY_FIRST, HOST_RETRY_LAST};
use crate::poll::{Ladder, after, earlier, poll};
use crate::usb::hotplug::Hotplug;
use crate::usb::open::candidates;
use crate::{Bell, DeviceUri, Error, UsbUri, sim};
use watch::Watch;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// It is worth trying to open the device.
    MayBeThere,
    /// The bell was rung (it is hushed).
    Rang,
    /// The deadline came.
    TimedOut,
}

/// Waits for one device. To be made when it could not be opened, kept while it cannot, and dropped when it can.
#[derive(Debug)]
pub struct Arrival {
    name: String,
    /// `None`: no node that could be watched.
    path: Option<PathBuf>,
    /// A simulated printer, which says itself when it is plugged in.
    sim: Option<sim::Key>,
    /// A USB printer, the ear that hears it come (`None`: it cannot be heard), and what it was when it was last there.
    usb: Option<(UsbUri, Option<Hotplug>)>,
    usb_seen: Vec<UsbSeen>,
    /// The node as it was when it was last said to be there.
    seen: Option<Seen>,
    tries: Ladder,
    /// When to try again what tells nothing.
    due: Option<Instant>,
}

/// What of a node decides whether it can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    place: (u64, u64),
    device: u64,
    mode: u32,
    owner: (u32, u32),
}

/// What of a USB printer decides whether it can be opened: where it is plugged in, which plugging-in this is, the driver that
/// has it, and who may open it.
type UsbSeen = (String, (u8, u8), Option<PathBuf>, Option<(u32, u32, u32)>);

impl Arrival {
    /// Waits for the device of this URI.
    ///
    /// Nodes are watched, simulated printers tell, the kernel tells of USB devices. Hosts are tried again after
    /// [`HOST_RETRY_FIRST`], doubling to [`HOST_RETRY_LAST`].
    pub fn new(uri: &DeviceUri) -> Self {
        let path = uri.path().map(Path::to_owned);
        let tries = match uri {
            DeviceUri::Socket(_) | DeviceUri::Sim(_) => {
                Ladder::new(HOST_RETRY_FIRST, HOST_RETRY_LAST)
            }
            _ => Ladder::new(ARRIVAL_FIRST, ARRIVAL_LAST),
        };
        let usb = match uri {
            DeviceUri::Usb(printer) => Some((printer.clone(), Hotplug::listen().ok())),
            _ => None,
        };
        let sim = match uri {
            DeviceUri::Sim(printer) => Some(sim::Key::from(printer)),
            _ => None,
        };
        let (name, usb_seen) = (uri.to_string(), Vec::new());
        Self { name, path, sim, usb, usb_seen, seen: None, tries, due: None }
    }

    /// Waits until the device may be there, the bell rings, or `until` (`None`: no deadline). The first wait for a node
    /// that is there returns at once.
    ///
    /// Errors: [`Error::Ours`] (no descriptor, no inotify watch left).
    pub fn wait(&mut self, bell: &Bell, until: Option<Instant>) -> Result<Arrived, Error> {
        if let Some(printer) = &self.sim {
            return match sim::wait_plugged(printer, bell, until) {
                Ok(true) => Ok(Arrived::MayBeThere),
                Ok(false) => Ok(Arrived::TimedOut),
                Err(Error::Rang { .. }) => Ok(Arrived::Rang),
                Err(error) => Err(error),
            };
        }
        loop {
            if let Some(arrived) = self.wait_once(bell, until)? {
                return Ok(arrived);
            }
        }
    }

    /// Looks, and sleeps until something happens. `None`: what happened did not matter.
    fn wait_once(&mut self, bell: &Bell, until: Option<Instant>) -> Result<Option<Arrived>, Error> {
        let watch = self.path.as_deref().map(Watch::on).transpose();
        let watch = watch.map_err(|errno| failed(&self.name, "watching for the device", errno))?;
        if self.look() {
            return Ok(Some(self.try_now()));
        }
        // What is not there needs no second look, unless it cannot be watched.
        let deaf = self.usb.as_ref().is_none_or(|(_, ear)| ear.is_none());
        let blind = watch.as_ref().is_none_or(|watch| watch.is_blind) && deaf;
        let is_there = self.seen.is_some() || !self.usb_seen.is_empty();
        let due = if blind || is_there { self.due() } else { None };
        let ear = self.usb.as_ref().and_then(|(_, ear)| ear.as_ref());
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        fds.extend(watch.as_ref().map(|watch| PollFd::new(watch, PollFlags::IN)));
        fds.extend(ear.map(|ear| PollFd::new(ear, PollFlags::IN)));
        poll(&mut fds, earlier(until, due))
            .map_err(|errno| failed(&self.name, "waiting for the device", errno))?;
        let mut woken = fds.iter().map(|fd| !fd.revents().is_empty());
        let (rang, told) = (woken.next() == Some(true), woken.next() == Some(true));
        let now = Instant::now();
        if rang && bell.hush() {
            return Ok(Some(Arrived::Rang));
        }
        let freed = told && watch.is_some_and(|watch| watch.was_closed());
        if freed || due.is_some_and(|due| due <= now) {
            return Ok(Some(self.try_now()));
        }
        Ok(until.is_some_and(|until| until <= now).then_some(Arrived::TimedOut))
    }

    fn try_now(&mut self) -> Arrived {
        self.due = None;
        Arrived::MayBeThere
    }

    /// The next time to try; it stays until it has come, however often the wait is broken off.
    fn due(&mut self) -> Option<Instant> {
        if self.due.is_none() {
            self.due = after(self.tries.step());
        }
        self.due
    }

    /// True if there is a node that was not there, or not like this, at the last look.
    fn look(&mut self) -> bool {
        if self.usb.is_some() {
            return self.look_for_usb();
        }
        let Some(path) = &self.path else { return false };
        let now = stat(path).ok().map(|stat| Seen {
            place: (stat.st_dev, stat.st_ino),
            device: stat.st_rdev,
            mode: stat.st_mode,
            owner: (stat.st_uid, stat.st_gid),
        });
        let is_news = now.is_some() && now != self.seen;
        if now != self.seen {
            self.tries.reset();
            self.due = None;
        }
        self.seen = now;
        is_news
    }

    /// The same for a USB printer, which may be any of several.
    fn look_for_usb(&mut self) -> bool {
        let Some((wanted, ear)) = &self.usb else { return false };
        // First heard, then looked: what comes in between is heard at the next wait.
        let _ = ear.as_ref().map(Hotplug::told);
        let there = candidates(&Root::new(Path::new("/")), wanted).into_iter();
        let now: Vec<UsbSeen> = there
            .map(|(_, printer)| {
                let node = stat(printer.usbfs()).ok();
                let node = node.map(|node| (node.st_mode, node.st_uid, node.st_gid));
                (printer.place, printer.address, printer.node, node)
            })
            .collect();
        let changed = now != self.usb_seen;
        if changed {
            self.tries.reset();
            self.due = None;
        }
        let is_news = changed && now.iter().any(|it| !self.usb_seen.contains(it));
        self.usb_seen = now;
        is_news
    }
}

#[cfg(test)]
mod tests;

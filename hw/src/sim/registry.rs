//! The simulated printers of this process that stand behind `sim:` URIs.
//!
//! They are devices in the outside world: a port is opened, closed and opened again, and finds the same printer with
//! the same counts, faults and cable. A printer is made when it is first named (by a test, or by opening the port)
//! and stands until it is retired.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::Language;
use super::control::ControlSocket;
use super::device::{SimHandle, Watch};
use super::model::{Model, ModelOptions};
use super::port::SimPort;
use crate::limits::SIM_DEVICES;
use crate::poll::poll;
use crate::{Bell, Error, Port, SimUri};

/// Which printer: the language and the control socket of its URI, or a name of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    language: Language,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Control(PathBuf),
    Named(String),
}

impl Key {
    /// The printer whose control socket is `path`; the socket is made with the printer.
    pub fn control(language: Language, path: impl Into<PathBuf>) -> Self {
        Self { language, place: Place::Control(path.into()) }
    }

    /// A printer without a control socket. `sim:LANGUAGE` is the one whose name is empty.
    pub fn named(language: Language, name: impl Into<String>) -> Self {
        Self { language, place: Place::Named(name.into()) }
    }

    /// What it speaks.
    pub fn language(&self) -> Language {
        self.language
    }
}

impl From<&SimUri> for Key {
    fn from(uri: &SimUri) -> Self {
        match &uri.control {
            Some(path) => Self::control(uri.language, path),
            None => Self::named(uri.language, ""),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (control, name) = match &self.place {
            Place::Control(path) => (Some(path.clone()), ""),
            Place::Named(name) => (None, name.as_str()),
        };
        SimUri { language: self.language, control }.fmt(out)?;
        if name.is_empty() { Ok(()) } else { write!(out, "#{name}") }
    }
}

struct Device {
    printer: SimHandle,
    _control: Option<ControlSocket>,
}

static DEVICES: LazyLock<Mutex<HashMap<Key, Device>>> = LazyLock::new(Mutex::default);

fn devices() -> MutexGuard<'static, HashMap<Key, Device>> {
    DEVICES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The printer of that key, which is made if it is not there yet.
///
/// Fails where its control socket cannot be made (see [`ControlSocket::open`]) or there are [`SIM_DEVICES`] already.
pub fn device(key: &Key) -> Result<SimHandle, Error> {
    let mut devices = devices();
    match devices.get(key) {
        Some(device) => Ok(device.printer.clone()),
        None => make(&mut devices, key, ModelOptions::default()),
    }
}

/// Makes the printer of that key with `options`. [`Error::Busy`]: it is there already.
pub fn device_with(key: &Key, options: ModelOptions) -> Result<SimHandle, Error> {
    let mut devices = devices();
    if devices.contains_key(key) {
        let why = "this simulated printer is made already; options are given when it is".to_owned();
        return Err(Error::Busy { port: key.to_string(), why });
    }
    make(&mut devices, key, options)
}

/// Takes the printer of that key away, with its control socket; was it there? Ports that are open on it go on until
/// they are closed.
pub fn retire(key: &Key) -> bool {
    let device = devices().remove(key);
    device.is_some()
}

/// Takes every printer away, whoever made it: at the end of the process, so that no control socket stays behind. Earlier
/// it would part a handle that somebody holds from the port that is opened next.
pub fn retire_all() {
    let devices = std::mem::take(&mut *devices());
    drop(devices);
}

fn make(
    devices: &mut HashMap<Key, Device>,
    key: &Key,
    options: ModelOptions,
) -> Result<SimHandle, Error> {
    if devices.len() >= SIM_DEVICES {
        return Err(Error::Unsupported {
            port: key.to_string(),
            what: "one more simulated printer".to_owned(),
            why: format!("there are {SIM_DEVICES} in this process"),
        });
    }
    let printer = SimHandle::new(Model::new(key.language, options, Instant::now()));
    let control = match &key.place {
        Place::Control(path) => Some(ControlSocket::open(path, printer.clone())?),
        Place::Named(_) => None,
    };
    devices.insert(key.clone(), Device { printer: printer.clone(), _control: control });
    Ok(printer)
}

/// Opens the port that leads to the printer of that key, which is made if it is not there yet.
///
/// [`Error::Absent`]: it is unplugged (see [`arrival`]). [`Error::Busy`]: the port is open already.
pub fn open(key: &Key) -> Result<Box<dyn Port>, Error> {
    let port: Box<dyn Port> = Box::new(SimPort::open(key, device(key)?)?);
    Ok(port)
}

/// Waits for a printer that could not be opened: until it is plugged in and nobody else has its port. The descriptor
/// becomes readable when that may have happened.
pub struct Arrival {
    port: String,
    printer: SimHandle,
    changed: Bell,
    _watch: Watch,
}

/// Who waits for the printer of that key to be there for the taking.
pub fn arrival(key: &Key) -> Result<Arrival, Error> {
    let printer = device(key)?;
    let changed = Bell::new()?;
    let watch = printer.watch(changed.clone());
    Ok(Arrival { port: key.to_string(), printer, changed, _watch: watch })
}

/// Waits until the printer of that key is plugged in and its port free (`Ok(true)`), or `until` has come
/// (`Ok(false)`). [`Error::Rang`]: the bell was rung (it is hushed).
pub fn wait_plugged(key: &Key, bell: &Bell, until: Option<Instant>) -> Result<bool, Error> {
    arrival(key)?.wait(bell, until)
}

impl Arrival {
    /// Is it plugged in, and its port free? Looking makes the descriptor unreadable until something changes.
    pub fn is_here(&self) -> bool {
        self.changed.hush();
        self.printer.with(|state, _| state.model.plugged() && state.hosts == 0)
    }

    /// Waits until it is here (`Ok(true)`) or `until` has come (`Ok(false)`; `None`: no deadline).
    /// [`Error::Rang`]: the bell was rung (it is hushed).
    pub fn wait(&self, bell: &Bell, until: Option<Instant>) -> Result<bool, Error> {
        loop {
            if self.is_here() {
                return Ok(true);
            }
            let mut fds = [&self.changed, bell].map(|bell| PollFd::new(bell, PollFlags::IN));
            let woken = poll(&mut fds, until).map_err(|source| Error::Ours {
                doing: "waiting for a simulated printer",
                source: source.into(),
            })?;
            if bell.hush() {
                return Err(Error::Rang { port: self.port.clone() });
            }
            if !woken {
                return Ok(false);
            }
        }
    }
}

impl AsFd for Arrival {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.changed.as_fd()
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Arrival").field("port", &self.port).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceUri;

    #[test]
    fn a_key_is_the_uris() {
        for text in ["sim:pjl", "sim:zpl?control=/run/sim.sock"] {
            let Ok(DeviceUri::Sim(uri)) = text.parse() else { panic!("{text}") };
            let key = Key::from(&uri);
            assert_eq!((key.to_string().as_str(), key.language()), (text, uri.language));
        }
        let named = Key::named(Language::Pjl, "a test's own");
        assert_eq!(named.to_string(), "sim:pjl#a test's own");
        assert_ne!(named, Key::named(Language::Pjl, ""));
    }

    #[test]
    fn a_printer_whose_socket_cannot_be_made_is_not_made() {
        let key = Key::control(Language::Plain, "/nowhere/at/all/sock");
        let error = device(&key).unwrap_err().to_string();
        assert!(error.contains("making the control socket"), "{error}");
        assert!(!retire(&key));
    }
}

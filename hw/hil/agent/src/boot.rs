//! From an unpacked initramfs to a machine that can be worked with.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, inotify, open};
use rustix::mount::{MountFlags, mount as mount_fs};

/// The agent's port comes up with its driver; a machine that has not brought it up by then never will.
const PORT_WAIT: Duration = Duration::from_secs(30);

const MOUNTS: [(&str, &str); 7] = [
    ("devtmpfs", "/dev"),
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/dev/shm"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
];

pub(super) fn mount() -> Result<(), String> {
    for (kind, place) in MOUNTS {
        let failed = |error: &dyn std::fmt::Display| format!("mounting {kind} on {place}: {error}");
        fs::create_dir_all(place).map_err(|error| failed(&error))?;
        mount_fs("none", place, kind, MountFlags::empty(), None).map_err(|error| failed(&error))?;
    }
    let made = fs::create_dir_all("/sys/kernel/debug").and_then(|()| fs::create_dir_all("/host"));
    made.map_err(|error| format!("making directories: {error}"))
}

/// Loads `/mods/*.ko` in the order of `/mods/order`: a name a line, and its parameters.
pub(super) fn load_modules() -> Result<(), String> {
    let order =
        fs::read_to_string("/mods/order").map_err(|error| format!("/mods/order: {error}"))?;
    for line in order.lines() {
        let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let failed = |error: &dyn std::fmt::Display| format!("loading {name}: {error}");
        let module = fs::File::open(format!("/mods/{name}.ko")).map_err(|error| failed(&error))?;
        let parameters = std::ffi::CString::new(parameters).map_err(|error| failed(&error))?;
        rustix::system::finit_module(&module, &parameters, 0).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Listeners on 127.0.0.1 need the loopback device; nothing here fails without them.
pub(super) fn raise_loopback() {
    let raised = Command::new("/bin/busybox").args(["ip", "link", "set", "lo", "up"]).status();
    if !raised.is_ok_and(|status| status.success()) {
        eprintln!("hil-agent: the loopback device is down");
    }
}

/// Opens the virtio port called `hil.agent`.
pub(super) fn open_port() -> Result<OwnedFd, String> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC)
        .and_then(|fd| {
            inotify::add_watch(&fd, "/dev", inotify::WatchFlags::CREATE)?;
            Ok(fd)
        })
        .map_err(|error| format!("watching /dev: {error}"))?;
    let until = Instant::now().checked_add(PORT_WAIT);
    loop {
        if let Some(name) = find_port() {
            let path = Path::new("/dev").join(name);
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
            return open(&path, flags, Mode::empty())
                .map_err(|error| format!("{}: {error}", path.display()));
        }
        if until.is_none_or(|until| until <= Instant::now()) {
            return Err("there is no port called hil.agent".to_owned());
        }
        let mut fds = [rustix::event::PollFd::new(&watch, rustix::event::PollFlags::IN)];
        let second = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&second))
            .map_err(|error| format!("waiting: {error}"))?;
        let mut events = [0; 4096];
        if !fds.iter().all(|fd| fd.revents().is_empty()) {
            let _ = rustix::io::read(&watch, &mut events);
        }
    }
}

fn find_port() -> Option<std::ffi::OsString> {
    let ports = fs::read_dir("/sys/class/virtio-ports").ok()?.flatten();
    let mut ours = ports.filter(|port| {
        fs::read_to_string(port.path().join("name")).is_ok_and(|name| name.trim() == "hil.agent")
    });
    ours.next().map(|port| port.file_name())
}

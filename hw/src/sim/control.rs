//! The control socket: a Unix stream socket that takes [`super::Command`]s, one a line, and answers one JSON line
//! each.
//!
//! It is made with mode 0600 from the start. A socket that a dead process left behind is replaced, one that answers
//! is somebody's, and anything that is no socket is left alone. It is removed when this is dropped.
//!
//! What it is *not*: a way in for strangers. Its path comes from the administrator's configuration alone.
//!
//! The one invariant: whatever a client sends, it holds at most a line and the answers to a few; it is not read from
//! again before it has read its answers.

mod client;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use self::client::Client;
use super::device::SimHandle;
use super::edge::{Stop, Worker};
use crate::Error;
use crate::limits::{RETRY_LAST, SIM_CONTROL_CLIENTS};
use crate::poll::{after, poll};

/// A listening control socket. Dropping it hangs up on its clients and removes it.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    /// Device and inode of the socket made here: another's is not removed.
    inode: (u64, u64),
    _worker: Worker,
}

impl ControlSocket {
    /// Makes the socket `path` and serves `printer` on it.
    ///
    /// [`Error::Busy`]: another process answers on it. [`Error::Unsupported`]: the path is too long (107 bytes) or
    /// leads to something that is no socket.
    pub fn open(path: &Path, printer: SimHandle) -> Result<Self, Error> {
        let listener = make(path)?;
        let metadata = path.symlink_metadata().map_err(|source| failed(path, source))?;
        let inode = (metadata.dev(), metadata.ino());
        let worker =
            Worker::spawn("sim-control", move |stop| Server::new(stop, printer, listener).run())?;
        Ok(Self { path: path.to_owned(), inode, _worker: worker })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let is_ours = |it: std::fs::Metadata| (it.dev(), it.ino()) == self.inode;
        if self.path.symlink_metadata().is_ok_and(is_ours) {
            // What cannot be removed is stale, and the next one replaces it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Device { port: path.display().to_string(), doing: "making the control socket", source }
}

fn unsupported(path: &Path, why: &str) -> Error {
    Error::Unsupported {
        port: path.display().to_string(),
        what: "a control socket".to_owned(),
        why: why.to_owned(),
    }
}

fn make(path: &Path) -> Result<UnixListener, Error> {
    let address = SocketAddrUnix::new(path)
        .map_err(|_| unsupported(path, "the path of a socket has at most 107 bytes"))?;
    match try_make(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            clear_away(path, &address)?;
            try_make(&address).map_err(|source| failed(path, source))
        }
        made => made.map_err(|source| failed(path, source)),
    }
}

fn try_make(address: &SocketAddrUnix) -> io::Result<UnixListener> {
    let socket = socket()?;
    // Linux makes the node with the mode of the descriptor: there is no moment at which others could connect.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, address)?;
    listen(&socket, i32::try_from(SIM_CONTROL_CLIENTS).unwrap_or(i32::MAX))?;
    Ok(UnixListener::from(socket))
}

/// Removes what a dead process left.
fn clear_away(path: &Path, address: &SocketAddrUnix) -> Result<(), Error> {
    let kind = match path.symlink_metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, error)),
    };
    if !kind.is_socket() {
        return Err(unsupported(
            path,
            "something else is there, which is left alone; give another path",
        ));
    }
    match knock(address) {
        // Full is also an answer: somebody listens.
        Ok(()) | Err(Errno::AGAIN) => Err(Error::Busy {
            port: path.display().to_string(),
            why: "a program answers on the control socket".to_owned(),
        }),
        Err(Errno::CONNREFUSED) => {
            std::fs::remove_file(path).map_err(|source| failed(path, source))
        }
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(failed(path, errno.into())),
    }
}

/// Does somebody answer? Does not wait for it.
fn knock(address: &SocketAddrUnix) -> Result<(), Errno> {
    connect(&socket()?, address)
}

fn socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// The thread behind the socket.
struct Server {
    stop: Stop,
    printer: SimHandle,
    listener: UnixListener,
    clients: Vec<Client>,
    /// Accepting failed: not again before then.
    deaf_until: Option<Instant>,
}

impl Server {
    fn new(stop: Stop, printer: SimHandle, listener: UnixListener) -> Self {
        Self { stop, printer, listener, clients: Vec::new(), deaf_until: None }
    }

    fn run(mut self) {
        while !self.stop.asked() {
            self.deaf_until = self.deaf_until.filter(|until| Instant::now() < *until);
            let Ok((knocked, found)) = self.wait() else { break };
            self.stop.bell.hush();
            let mut found = found.into_iter();
            let printer = &self.printer;
            self.clients.retain_mut(|client| match found.next() {
                Some(true) => client.serve(|line| printer.command(line)),
                _ => true,
            });
            if knocked {
                self.accept();
            }
        }
    }

    /// Whether somebody knocked, and which clients have something to do.
    fn wait(&self) -> io::Result<(bool, Vec<bool>)> {
        let listens = if self.deaf_until.is_none() { PollFlags::IN } else { PollFlags::empty() };
        let mut fds = vec![
            PollFd::new(&self.stop.bell, PollFlags::IN),
            PollFd::from_borrowed_fd(self.listener.as_fd(), listens),
        ];
        fds.extend(self.clients.iter().map(Client::interest));
        poll(&mut fds, self.deaf_until)?;
        let mut found = fds.iter().skip(1).map(|fd| !fd.revents().is_empty());
        let knocked = found.next().unwrap_or(false);
        Ok((knocked, found.collect()))
    }

    fn accept(&mut self) {
        let accepted = self.listener.accept().and_then(|(stream, _)| {
            stream.set_nonblocking(true)?;
            Ok(stream)
        });
        match accepted {
            Ok(stream) if self.clients.len() < SIM_CONTROL_CLIENTS => {
                self.clients.push(Client::new(stream));
            }
            Ok(stream) => client::turn_away(&stream),
            Err(_) => self.deaf_until = after(RETRY_LAST),
        }
    }
}

//! The small documents' thread: for callers that have the last bytes of a short document and must not wait for the disk.
//!
//! One thread for all: while it writes one document the next ones queue without waking anybody, and they reach the disk
//! thread together, where one sync serves them.
//!
//! ```text
//!   front ends ──► queue ──► append, file, record ──► disk thread ──► answer
//! ```
//!
//! The invariant: each document that is handed over is answered once, also at the end.

use crossbeam_channel::Receiver;

use crate::error::Error;
use crate::spool::Then;
use crate::writer::Writer;

/// What the thread is asked for.
pub(crate) enum Small {
    /// Take the last bytes, and commit.
    Commit(Box<Last>),
    /// End.
    Stop,
}

/// A document that lacks nothing but its last bytes.
pub(crate) struct Last {
    pub(crate) writer: Writer,
    pub(crate) bytes: Box<dyn AsRef<[u8]> + Send>,
    pub(crate) then: Then,
}

impl Last {
    fn commit(self) {
        let Self { mut writer, bytes, then } = self;
        match writer.append((*bytes).as_ref()) {
            Ok(()) => writer.commit(then),
            Err(error) => {
                drop(writer);
                then(Err(error));
            }
        }
    }

    /// Gives the document up: the spool is closed.
    pub(crate) fn refuse(self) {
        drop(self.writer);
        (self.then)(Err(Error::Closed));
    }
}

/// Serves the queue until it is told to stop.
pub(crate) fn serve(queue: &Receiver<Small>) {
    while let Ok(Small::Commit(last)) = queue.recv() {
        last.commit();
    }
    for left in queue.try_iter() {
        if let Small::Commit(last) = left {
            last.refuse();
        }
    }
}

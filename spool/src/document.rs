//! Reading a document back: by range, and while it is still being written.
//!
//! A [`Document`] is a spool file and how far it reaches ([`Extent`]). A document that is still being received grows;
//! [`Document::when_beyond`] calls back once when there is more, so that a follower waits without polling and without a
//! flood of messages (one call outstanding, by construction).
//!
//! ```text
//!   Open { bytes grows } ──commit──► Whole { bytes }
//!            └───────abort, cancel──► Broken
//! ```

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::limits::COPIED_BYTES;
use crate::store::File;
use crate::sync::locked;

/// A range of a document, ready to be lent to a system call.
#[derive(Clone)]
pub struct Bytes(Arc<dyn Lend>);

/// What a store must be able to do with a range that it gave out.
pub(crate) trait Lend: Send + Sync {
    fn lend(&self) -> &[u8];
    fn file(&self) -> Option<(BorrowedFd<'_>, u64)>;
    fn prefault(&self) {}
}

impl Bytes {
    pub(crate) fn new(range: impl Lend + 'static) -> Self {
        Self(Arc::new(range))
    }

    /// A range that lies in memory, for stores without descriptors.
    pub fn in_memory(bytes: Vec<u8>) -> Self {
        struct Memory(Vec<u8>);
        impl Lend for Memory {
            fn lend(&self) -> &[u8] {
                &self.0
            }
            fn file(&self) -> Option<(BorrowedFd<'_>, u64)> {
                None
            }
        }
        Self::new(Memory(bytes))
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.lend().len()
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. **When [`Bytes::file`] is given they are mapped: lend them to a system call, never read them.**
    pub fn lend(&self) -> &[u8] {
        self.0.lend()
    }

    /// The file the bytes are mapped from, and their offset in it; `None`: they are ordinary memory.
    pub fn file(&self) -> Option<(BorrowedFd<'_>, u64)> {
        self.0.file()
    }

    /// Maps all pages now, in one go. Worth it just before lending.
    pub fn prefault(&self) {
        self.0.prefault();
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.len())
    }
}

/// How far a document reaches now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that can be read.
    pub bytes: u64,
    /// Whether there will be more.
    pub end: End,
}

/// Whether a document's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is still being received.
    Open,
    /// All of it is there.
    Whole,
    /// It will never be whole: the submission was broken off, or the job canceled.
    Broken,
}

/// A document for reading. Cheap to clone.
#[derive(Clone)]
pub struct Document {
    place: Place,
    growth: Arc<Growth>,
}

/// Where its bytes are.
#[derive(Clone)]
enum Place {
    File { file: Arc<dyn File>, name: Arc<str> },
    Memory(Arc<Vec<u8>>),
}

impl Document {
    pub(crate) fn new(file: Arc<dyn File>, growth: Arc<Growth>, name: impl Into<Arc<str>>) -> Self {
        Self { place: Place::File { file, name: name.into() }, growth }
    }

    /// A whole one that is in memory.
    pub(crate) fn short(bytes: Arc<Vec<u8>>) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { place: Place::Memory(bytes), growth: Growth::whole(length) }
    }

    /// How far it reaches now.
    pub fn extent(&self) -> Extent {
        locked(&self.growth.state).extent
    }

    /// The bytes from `offset` on, at most `limit_bytes`; `None` where there are none now.
    pub fn read(&self, offset: u64, limit_bytes: usize) -> Result<Option<Bytes>> {
        let there = self.extent().bytes.saturating_sub(offset);
        let bytes = usize::try_from(there).unwrap_or(usize::MAX).min(limit_bytes);
        if bytes == 0 {
            return Ok(None);
        }
        self.place.read(offset, bytes).map(Some)
    }

    /// Copies the bytes from `offset` on into `buf`; how many there were.
    pub fn copy(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let there = self.extent().bytes.saturating_sub(offset);
        let bytes = usize::try_from(there).unwrap_or(usize::MAX).min(buf.len());
        let Some(buf) = buf.get_mut(..bytes) else { return Ok(0) };
        self.place.copy(offset, buf)
    }

    /// Calls `then` once: when the document reaches beyond `offset`, or when its end is known. At once if that is so
    /// already. The call comes from the thread that appends: it should only send a message.
    pub fn when_beyond(&self, offset: u64, then: impl FnOnce() + Send + 'static) {
        let mut state = locked(&self.growth.state);
        if state.extent.bytes > offset || state.extent.end != End::Open {
            drop(state);
            then();
        } else {
            state.waiting.push((offset, Box::new(then)));
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, {:?})", self.place.name(), self.extent())
    }
}

impl Place {
    /// A range that is there.
    fn read(&self, offset: u64, bytes: usize) -> Result<Bytes> {
        match self {
            Self::File { file, name } if bytes > COPIED_BYTES => {
                file.clone().window(offset, bytes).map_err(Error::disk("reading", &**name))
            }
            // To map it would cost more than the bytes.
            _ => {
                let mut read = vec![0; bytes];
                if self.copy(offset, &mut read)? < bytes {
                    let cut = io::Error::new(ErrorKind::UnexpectedEof, "it was cut short");
                    return Err(Error::disk("reading", self.name())(cut));
                }
                Ok(Bytes::in_memory(read))
            }
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Memory(_) => "in memory",
        }
    }

    /// How many bytes there were.
    fn copy(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let copied = match self {
            Self::File { file, .. } => file.read_at(buf, offset),
            Self::Memory(document) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                document.get(from..).unwrap_or_default().read(buf)
            }
        };
        copied.map_err(Error::disk("reading", self.name()))
    }
}

/// The growing end of a document, shared by its writer and its readers.
pub(crate) struct Growth {
    state: Mutex<GrowthState>,
}

struct GrowthState {
    extent: Extent,
    waiting: Vec<(u64, Box<dyn FnOnce() + Send>)>,
}

impl Growth {
    pub(crate) fn open() -> Arc<Self> {
        Self::with(Extent { bytes: 0, end: End::Open })
    }

    pub(crate) fn whole(bytes: u64) -> Arc<Self> {
        Self::with(Extent { bytes, end: End::Whole })
    }

    fn with(extent: Extent) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(GrowthState { extent, waiting: Vec::new() }) })
    }

    /// Says that the document now reaches to `bytes`. An end that is known stays as it is.
    pub(crate) fn set(&self, bytes: u64, end: End) {
        let ready = {
            let mut state = locked(&self.state);
            if state.extent.end != End::Open {
                return;
            }
            state.extent = Extent { bytes, end };
            let all = std::mem::take(&mut state.waiting);
            let (ready, waiting) =
                all.into_iter().partition(|(offset, _)| bytes > *offset || end != End::Open);
            state.waiting = waiting;
            ready
        };
        let ready: Vec<(u64, Box<dyn FnOnce() + Send>)> = ready;
        for (_, then) in ready {
            then();
        }
    }

    pub(crate) fn end(&self) -> End {
        locked(&self.state).extent.end
    }

    /// Says that the document will never be whole.
    pub(crate) fn break_off(&self) {
        let bytes = locked(&self.state).extent.bytes;
        self.set(bytes, End::Broken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_waiter_is_called_once_and_only_for_more() {
        let growth = Growth::open();
        let file = crate::disk_store::tests::scratch_file();
        let document = Document::new(file, growth.clone(), "test");
        let calls = Arc::new(AtomicUsize::new(0));
        let call = |offset| {
            let calls = calls.clone();
            document.when_beyond(offset, move || {
                calls.fetch_add(1, Ordering::SeqCst);
            });
        };
        call(0);
        call(10);
        growth.set(10, End::Open);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        growth.set(11, End::Open);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        call(5);
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        call(11);
        growth.break_off();
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        assert_eq!(document.extent(), Extent { bytes: 11, end: End::Broken });
        growth.set(12, End::Whole);
        assert_eq!(document.extent().end, End::Broken);
    }
}

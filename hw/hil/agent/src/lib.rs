//! What the bench and its agent in the guest say to each other, over one virtio serial port.
//!
//! ```text
//!   u32 job, u32 kind, u32 length (little-endian), then `length` bytes
//!
//!   host:  Exec ──► Stdin* ──► CloseStdin        guest:  Hello, once
//!                └► Signal                               Stdout* Stderr* Exit
//!          SetTime, PowerOff
//! ```
//!
//! Sans-I/O. The one invariant: a frame that was put is read again, whatever pieces it comes in.
#![forbid(unsafe_code)]

/// A frame is at most this long, without its header.
pub const FRAME_BYTES: usize = 64 * 1024;

const HEADER_BYTES: usize = 12;

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Guest: it is there.
    Hello,
    /// Guest: a job wrote this on its standard output.
    Stdout,
    /// Guest: a job wrote this on its standard error.
    Stderr,
    /// Guest: a job has ended; its status as the shell has it (128 and the signal's number), in four bytes.
    Exit,
    /// Host: run this; each word ended by a zero byte.
    Exec,
    /// Host: this goes to the job's standard input.
    Stdin,
    /// Host: the end of the job's standard input.
    CloseStdin,
    /// Host: this signal to the job's process group; its number in four bytes.
    Signal,
    /// Host: the time is so many nanoseconds after the epoch (eight bytes); what follows stirs the random numbers, which
    /// a snapshot has made the same in every guest.
    SetTime,
    /// Host: switch the machine off.
    PowerOff,
}

impl Kind {
    const ALL: [(Self, u32); 10] = [
        (Self::Hello, 0),
        (Self::Stdout, 1),
        (Self::Stderr, 2),
        (Self::Exit, 3),
        (Self::Exec, 16),
        (Self::Stdin, 17),
        (Self::CloseStdin, 18),
        (Self::Signal, 19),
        (Self::SetTime, 20),
        (Self::PowerOff, 21),
    ];

    fn code(self) -> u32 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(u32::MAX, |(_, code)| *code)
    }

    fn of(code: u32) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind)
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which job it is about; 0 where it is about none.
    pub job: u32,
    /// What it says of it.
    pub kind: Kind,
    /// Its bytes, at most [`FRAME_BYTES`].
    pub body: Vec<u8>,
}

/// Puts a frame behind what is in `out`; more than one where the body is longer than a frame can be.
pub fn put(out: &mut Vec<u8>, job: u32, kind: Kind, body: &[u8]) {
    let mut chunks = body.chunks(FRAME_BYTES);
    let first = chunks.next().unwrap_or_default();
    for chunk in std::iter::once(first).chain(chunks) {
        out.extend(job.to_le_bytes());
        out.extend(kind.code().to_le_bytes());
        out.extend(u32::try_from(chunk.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(chunk);
    }
}

/// What came is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

impl std::fmt::Display for Garbled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("what came over the agent's port is no frame")
    }
}

impl std::error::Error for Garbled {}

/// Frames out of bytes as they come.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it has come as a whole.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Garbled> {
        let word = |at: usize| {
            let bytes = self.bytes.get(at..)?.first_chunk()?;
            Some(u32::from_le_bytes(*bytes))
        };
        let (Some(job), Some(code), Some(length)) = (word(0), word(4), word(8)) else {
            return Ok(None);
        };
        let kind = Kind::of(code).ok_or(Garbled)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= FRAME_BYTES);
        let end = length.ok_or(Garbled)?.saturating_add(HEADER_BYTES);
        let Some(body) = self.bytes.get(HEADER_BYTES..end) else { return Ok(None) };
        let body = body.to_vec();
        self.bytes.drain(..end);
        Ok(Some(Frame { job, kind, body }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_both_ways() {
        let mut out = Vec::new();
        put(&mut out, 7, Kind::Exec, b"ls\0");
        assert_eq!(out, [7, 0, 0, 0, 16, 0, 0, 0, 3, 0, 0, 0, b'l', b's', 0]);
        let mut reader = Reader::default();
        for byte in &out {
            assert_eq!(reader.next_frame(), Ok(None));
            reader.push(&[*byte]);
        }
        let frame = Frame { job: 7, kind: Kind::Exec, body: b"ls\0".to_vec() };
        assert_eq!(reader.next_frame(), Ok(Some(frame)));
        assert_eq!(reader.next_frame(), Ok(None));
    }

    #[test]
    fn what_is_no_frame() {
        for bytes in [[0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0]] {
            let mut reader = Reader::default();
            reader.push(&bytes);
            assert_eq!(reader.next_frame(), Err(Garbled));
        }
    }

    proptest! {
        #[test]
        fn what_is_put_is_read(
            frames in prop::collection::vec((any::<u32>(), 0usize..10, prop::collection::vec(any::<u8>(), 0..300)), 1..20),
            piece in 1usize..500,
        ) {
            let frames: Vec<_> = frames.into_iter()
                .map(|(job, kind, body)| Frame { job, kind: Kind::ALL[kind].0, body }).collect();
            let mut bytes = Vec::new();
            frames.iter().for_each(|it| put(&mut bytes, it.job, it.kind, &it.body));
            let (mut reader, mut read) = (Reader::default(), Vec::new());
            for piece in bytes.chunks(piece) {
                reader.push(piece);
                while let Some(frame) = reader.next_frame().unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
        }
    }

    #[test]
    fn fuzz_reader() {
        bolero::check!().for_each(|input: &[u8]| {
            let mut reader = Reader::default();
            reader.push(input);
            while let Ok(Some(frame)) = reader.next_frame() {
                assert!(frame.body.len() <= input.len());
            }
        });
    }
}

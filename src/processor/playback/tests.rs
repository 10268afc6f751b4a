use std::cell::Cell;
use std::convert::Infallible;

use super::*;
use proptest::prelude::*;

/// A document in memory, of which only a part may have come yet.
struct Document {
    bytes: Vec<u8>,
    there: Cell<usize>,
}

impl Document {
    fn whole(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), there: Cell::new(bytes.len()) }
    }

    fn range(&self, from: u64, limit_bytes: usize) -> &[u8] {
        let from = usize::try_from(from).unwrap();
        let rest = &self.bytes[from..self.there.get()];
        &rest[..rest.len().min(limit_bytes)]
    }
}

impl Source for Document {
    type Error = Infallible;

    fn reach(&self) -> Reach {
        let there = self.there.get() as u64;
        if self.there.get() == self.bytes.len() { Reach::Whole(there) } else { Reach::Open(there) }
    }

    fn lend(&self, from: u64, limit_bytes: usize) -> Result<Option<Piece>, Infallible> {
        let range = self.range(from, limit_bytes);
        Ok((!range.is_empty()).then(|| Piece::inline(range.to_vec())))
    }

    fn copy(&self, from: u64, buf: &mut [u8]) -> Result<usize, Infallible> {
        let range = self.range(from, buf.len());
        buf[..range.len()].copy_from_slice(range);
        Ok(range.len())
    }
}

/// Everything that is played, letting the document grow by `step` whenever the playback waits.
fn play(mut playback: Playback, document: &Document, step: usize) -> Vec<u8> {
    let mut played = Vec::new();
    loop {
        match playback.next(document).unwrap() {
            Next::Piece(piece) => {
                assert!(!piece.is_empty());
                played.extend_from_slice(piece.lend(0).bytes);
            }
            Next::Wait(at) => {
                assert_eq!(at, document.there.get() as u64);
                document.there.set((document.there.get() + step).min(document.bytes.len()));
            }
            Next::End => return played,
            Next::Broken => panic!("broken"),
        }
    }
}

fn all(datatype: Datatype, copies: u16, document: &[u8]) -> Vec<u8> {
    play(Playback::new(datatype, copies, 0, 7), &Document::whole(document), 1)
}

#[test]
fn the_datatypes() {
    use Datatype::{Raw, RawFfAppended, RawFfAuto, Text};
    for (datatype, document, played) in [
        (Raw, "a\nb\x0c", "a\nb\x0c"),
        (RawFfAppended, "a\n", "a\n\x0c"),
        (RawFfAppended, "a\x0c", "a\x0c\x0c"),
        (RawFfAuto, "a\n", "a\n\x0c"),
        (RawFfAuto, "a\x0c", "a\x0c"),
        (Text, "a\nb", "a\r\nb\x0c"),
        (Text, "a\r\n\x0c", "a\r\n\x0c"),
        (Raw, "", ""),
        (RawFfAuto, "", "\x0c"),
    ] {
        assert_eq!(
            all(datatype, 1, document.as_bytes()),
            played.as_bytes(),
            "{datatype:?} {document:?}"
        );
        assert_eq!(
            all(datatype, 3, document.as_bytes()),
            played.repeat(3).as_bytes(),
            "{datatype:?} {document:?}"
        );
    }
}

#[test]
fn a_broken_document_is_not_played_to_an_end() {
    struct Broken;
    impl Source for Broken {
        type Error = Infallible;
        fn reach(&self) -> Reach {
            Reach::Broken
        }
        fn lend(&self, _: u64, _: usize) -> Result<Option<Piece>, Infallible> {
            Ok(None)
        }
        fn copy(&self, _: u64, _: &mut [u8]) -> Result<usize, Infallible> {
            Ok(0)
        }
    }
    assert!(matches!(Playback::new(Datatype::Raw, 1, 0, 7).next(&Broken), Ok(Next::Broken)));
}

proptest! {
    /// Wherever a job is cut off, it goes on with the very next byte; and RAW is the document itself.
    #[test]
    fn going_on_anywhere_plays_the_rest(
        document in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(0x0c), any::<u8>()], 0..60),
        datatype in prop_oneof![Just(Datatype::Raw), Just(Datatype::RawFfAppended), Just(Datatype::RawFfAuto), Just(Datatype::Text)],
        copies in 1u16..4,
        there in 0usize..60,
        from in 0usize..300,
        piece in 1usize..20,
    ) {
        let whole = all(datatype, copies, &document);
        if datatype == Datatype::Raw {
            prop_assert_eq!(&whole, &document.repeat(copies.into()));
        }
        prop_assert_eq!(total_as_played(&Document::whole(&document), datatype, copies), Some(whole.len() as u64));
        let from = from.min(whole.len());
        let growing = Document { there: Cell::new(there.min(document.len())), bytes: document };
        let rest = play(Playback::new(datatype, copies, from as u64, piece), &growing, 3);
        prop_assert_eq!(rest, &whole[from..]);
    }
}

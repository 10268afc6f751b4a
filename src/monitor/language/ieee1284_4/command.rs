//! Commands of the 1284.4 transaction channel, and their answers (a command's number with the highest bit).
//!
//! | | | command | answer (a result, 0 for done, comes first) |
//! | --- | --- | --- | --- |
//! | 00 | Init | revision | revision |
//! | 01 | OpenChannel | socket twice, packet sizes to the device and to the host, greatest credit; revision 1.0: credit | socket twice, sizes, greatest credit, credit |
//! | 02 | CloseChannel | socket twice | socket twice |
//! | 03 | Credit | socket twice, credit | socket twice |
//! | 04 | CreditRequest | socket twice, greatest credit; revision 1.0: credit that is there | socket twice, credit |
//! | 08 | Exit | | |
//! | 09 | GetSocketID | name of a service | socket, name |
//! | 7F | Error | socket twice, number | none |
//!
//! Sizes and credits are 16 bits, big-endian. (As HPLIP (`dot4.h`, revision 2.0) and the Epson tools (revision 1.0) have them.)

use super::packet::header;

/// What the two revisions are called on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    /// Epson's.
    One,
    /// The standard's.
    Two,
}

impl Revision {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::One => 0x10,
            Self::Two => 0x20,
        }
    }

    pub(super) fn of(byte: u8) -> Option<Self> {
        [Self::One, Self::Two].into_iter().find(|revision| revision.byte() == byte)
    }
}

/// A command that we send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Init,
    Open {
        socket: u8,
        bytes: u16,
    },
    Credit {
        socket: u8,
        credit: u16,
    },
    CreditRequest {
        socket: u8,
    },
    Socket {
        service: &'a str,
    },
    /// The answer to a command of the device's: its number, what it is about, and more.
    Answer {
        to: u8,
        about: &'a [u8],
    },
}

impl Command<'_> {
    /// The packet.
    pub(super) fn packet(&self, revision: Revision) -> Vec<u8> {
        let [high, low] = u16::MAX.to_be_bytes();
        let first = revision == Revision::One;
        let body = match self {
            Self::Init => vec![0x00, revision.byte()],
            Self::Open { socket, bytes } => {
                let size = bytes.to_be_bytes();
                let more = if first { &[high, low, 0, 0][..] } else { &[high, low] };
                [&[0x01, *socket, *socket], &size[..], &size, more].concat()
            }
            Self::Credit { socket, credit } => {
                [&[0x03, *socket, *socket], &credit.to_be_bytes()[..]].concat()
            }
            Self::CreditRequest { socket } => {
                let more = if first { &[high, low, 0, 0][..] } else { &[high, low] };
                [&[0x04, *socket, *socket], more].concat()
            }
            Self::Socket { service } => [&[0x09], service.as_bytes()].concat(),
            Self::Answer { to, about } => [&[to | 0x80, 0], *about].concat(),
        };
        [&header(0, body.len(), 1)[..], &body].concat()
    }
}

/// A command or an answer of the device's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Init {
        done: bool,
        revision: u8,
    },
    Opened {
        done: bool,
        socket: u8,
        bytes: u16,
        credit: u16,
    },
    /// The answer to our `CreditRequest`.
    Granted {
        done: bool,
        socket: u8,
        credit: u16,
    },
    Socket {
        done: bool,
        socket: u8,
    },
    /// It gives us credit.
    Credit {
        socket: u8,
        credit: u16,
    },
    /// It wants credit.
    CreditRequest {
        socket: u8,
    },
    Close {
        socket: u8,
    },
    Exit,
    Error {
        socket: u8,
        number: u8,
    },
}

impl Heard {
    /// Reads the payload of a packet on the transaction channel; `None`: nothing that matters, or nothing at all.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
        Some(match *payload {
            [0x80, result, revision, ..] => Self::Init { done: result == 0, revision },
            [0x81, result, socket, _, high, low, _, _, _, _, credit_high, credit_low, ..] => {
                let (bytes, credit) = (word(high, low), word(credit_high, credit_low));
                Self::Opened { done: result == 0, socket, bytes, credit }
            }
            [0x81, _, socket, ..] => Self::Opened { done: false, socket, bytes: 0, credit: 0 },
            [0x84, result, socket, _, high, low, ..] => {
                Self::Granted { done: result == 0, socket, credit: word(high, low) }
            }
            [0x84, _, socket, ..] => Self::Granted { done: false, socket, credit: 0 },
            [0x89, result, socket, ..] => Self::Socket { done: result == 0, socket },
            [0x02, socket, ..] => Self::Close { socket },
            [0x03, socket, _, high, low, ..] => Self::Credit { socket, credit: word(high, low) },
            [0x04, socket, ..] => Self::CreditRequest { socket },
            [0x08, ..] => Self::Exit,
            [0x7f, socket, _, number, ..] => Self::Error { socket, number },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_golden() {
        let cases: [(Command<'_>, &[u8], &[u8]); 6] = [
            (Command::Init, b"\0\0\0\x08\x01\0\0\x10", b"\0\0\0\x08\x01\0\0\x20"),
            (
                Command::Open { socket: 2, bytes: 256 },
                b"\0\0\0\x11\x01\0\x01\x02\x02\x01\0\x01\0\xff\xff\0\0",
                b"\0\0\0\x0f\x01\0\x01\x02\x02\x01\0\x01\0\xff\xff",
            ),
            (
                Command::Credit { socket: 2, credit: 1 },
                b"\0\0\0\x0b\x01\0\x03\x02\x02\0\x01",
                b"\0\0\0\x0b\x01\0\x03\x02\x02\0\x01",
            ),
            (
                Command::CreditRequest { socket: 2 },
                b"\0\0\0\x0d\x01\0\x04\x02\x02\xff\xff\0\0",
                b"\0\0\0\x0b\x01\0\x04\x02\x02\xff\xff",
            ),
            (
                Command::Socket { service: "PRINT" },
                b"\0\0\0\x0c\x01\0\x09PRINT",
                b"\0\0\0\x0c\x01\0\x09PRINT",
            ),
            (
                Command::Answer { to: 3, about: &[2, 2] },
                b"\0\0\0\x0a\x01\0\x83\0\x02\x02",
                b"\0\0\0\x0a\x01\0\x83\0\x02\x02",
            ),
        ];
        for (command, one, two) in cases {
            assert_eq!(command.packet(Revision::One), one, "{command:?}");
            assert_eq!(command.packet(Revision::Two), two, "{command:?}");
        }
    }

    #[test]
    fn what_is_heard_golden() {
        let cases: [(&[u8], Option<Heard>); 12] = [
            (b"\x80\0\x20", Some(Heard::Init { done: true, revision: 0x20 })),
            (b"\x80\x02\x10", Some(Heard::Init { done: false, revision: 0x10 })),
            (
                b"\x81\0\x01\x01\x04\0\x02\0\0\x05\0\x03",
                Some(Heard::Opened { done: true, socket: 1, bytes: 1024, credit: 3 }),
            ),
            (
                b"\x81\x05\x01\x01",
                Some(Heard::Opened { done: false, socket: 1, bytes: 0, credit: 0 }),
            ),
            (b"\x84\0\x01\x01\0\x07", Some(Heard::Granted { done: true, socket: 1, credit: 7 })),
            (b"\x89\0\x40EPSON-DATA", Some(Heard::Socket { done: true, socket: 0x40 })),
            (b"\x03\x01\x01\x01\0", Some(Heard::Credit { socket: 1, credit: 256 })),
            (b"\x04\x01\x01\xff\xff", Some(Heard::CreditRequest { socket: 1 })),
            (b"\x08", Some(Heard::Exit)),
            (b"\x7f\x01\x01\x81", Some(Heard::Error { socket: 1, number: 0x81 })),
            (b"\xc5\0", None),
            (b"", None),
        ];
        for (payload, expected) in cases {
            assert_eq!(Heard::read(payload), expected, "{}", payload.escape_ascii());
        }
    }
}

//! The link: how a device is brought to speak packets, and what its channel has credit for.
//!
//! ```text
//!            start()          Init done            socket known            opened
//!   Off ───────────► Asked(Init) ────► Asked(Socket) ──────► Asked(Open) ───────► Up
//!    ▲                 │  ▲   another revision: again                             │
//!    │                 │  └───────────────── Exit, Error, channel closed ─────────┘
//!    └── device gone   └── never answered: Deaf, documents go without packets
//! ```
//!
//! Pure: answers in, commands out. The invariant: no packet goes out on the channel without credit for it.

use super::command::{Command, Heard, Revision};
use super::packet::HEADER_BYTES;
use crate::limits::{D4_CREDIT, D4_PACKET_BYTES};

/// Brings an Epson out of whatever it is in and into packet mode. In packet mode already, it reads this as one packet
/// of 27 bytes.
const EPSON_ENTRY: &[u8] = b"\0\0\0\x1b\x01@EJL 1284.4\n@EJL\n@EJL\n";

/// Names of the services that take documents, the first choice first.
const EPSON_SERVICES: &[&str] = &["EPSON-DATA", "PRINT"];
const SERVICES: &[&str] = &["PRINT"];

#[derive(Debug)]
pub(super) struct Link {
    state: State,
    epson: bool,
    revision: Revision,
    /// Another revision was tried.
    retried: bool,
    /// Which service is asked for.
    service: usize,
    /// It has answered: it does speak packets.
    answered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Asked(Question),
    Up(Channel),
    Deaf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Init,
    Socket,
    Open(u8),
}

/// The channel that takes documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    socket: u8,
    /// Payload of a packet to the device, at most.
    payload: usize,
    /// Packets that may be sent.
    credit: u32,
    /// More was asked for.
    asked: bool,
    /// Packets that the device may send still.
    given: u16,
}

impl Link {
    pub(super) fn new(epson: bool) -> Self {
        let revision = if epson { Revision::One } else { Revision::Two };
        Self { state: State::Off, epson, revision, retried: false, service: 0, answered: false }
    }

    /// Begins (anew): the packet to be sent.
    pub(super) fn start(&mut self) -> Vec<u8> {
        self.state = State::Asked(Question::Init);
        let entry = if self.epson { EPSON_ENTRY } else { &[] };
        [entry, &Command::Init.packet(self.revision)].concat()
    }

    pub(super) fn is_off(&self) -> bool {
        self.state == State::Off
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// It does not speak packets.
    pub(super) fn is_deaf(&self) -> bool {
        self.state == State::Deaf
    }

    /// Something on the way up was asked that has not been answered.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// It was not answered; `for_good`: several times in a row.
    pub(super) fn missed(&mut self, for_good: bool) -> Vec<u8> {
        match self.state {
            State::Asked(_) if for_good && !self.answered => {
                self.state = State::Deaf;
                Vec::new()
            }
            State::Asked(_) => self.start(),
            State::Off | State::Up(_) | State::Deaf => Vec::new(),
        }
    }

    /// Credit may be asked for again.
    pub(super) fn ask_again(&mut self) {
        if let State::Up(channel) = &mut self.state {
            channel.asked = false;
        }
    }

    /// Takes in a command or an answer; what is to be sent.
    pub(super) fn hear(&mut self, heard: Heard) -> Vec<u8> {
        match (heard, self.state) {
            (Heard::Init { done, revision }, State::Asked(Question::Init)) => {
                self.initialized(done, revision)
            }
            (Heard::Socket { done, socket }, State::Asked(Question::Socket)) => {
                self.resolved(done, socket)
            }
            (
                Heard::Opened { done, socket, bytes, credit },
                State::Asked(Question::Open(asked)),
            ) if asked == socket => self.opened(done, socket, bytes, credit),
            (Heard::Granted { done, socket, credit }, _) => {
                self.credit(socket, if done { credit } else { 0 });
                Vec::new()
            }
            (Heard::Credit { socket, credit }, _) => {
                self.credit(socket, credit);
                self.answer(3, &[socket, socket])
            }
            (Heard::CreditRequest { socket }, _) => {
                let credit = self.give(socket).to_be_bytes();
                self.answer(4, &[&[socket, socket], &credit[..]].concat())
            }
            (Heard::Close { socket }, state) => {
                let ours = matches!(state, State::Up(channel) if channel.socket == socket);
                let answer = self.answer(2, &[socket, socket]);
                [answer, if ours { self.start() } else { Vec::new() }].concat()
            }
            (Heard::Exit, _) => [self.answer(8, &[]), self.start()].concat(),
            (Heard::Error { socket, number }, _) => {
                tracing::warn!(
                    socket,
                    number,
                    "the device reports an error of its packets; the link begins anew"
                );
                self.start()
            }
            // The answer to a question that was never asked is no answer.
            (Heard::Init { .. } | Heard::Socket { .. } | Heard::Opened { .. }, _) => Vec::new(),
        }
    }

    fn answer(&self, to: u8, about: &[u8]) -> Vec<u8> {
        Command::Answer { to, about }.packet(self.revision)
    }

    fn initialized(&mut self, done: bool, revision: u8) -> Vec<u8> {
        self.answered = true;
        let other = Revision::of(revision).filter(|other| *other != self.revision);
        if let (false, Some(other), false) = (done, other, self.retried) {
            (self.revision, self.retried) = (other, true);
            return self.start();
        }
        if !done {
            self.state = State::Deaf;
            return Vec::new();
        }
        self.service = 0;
        self.ask_socket()
    }

    fn ask_socket(&mut self) -> Vec<u8> {
        let services = if self.epson { EPSON_SERVICES } else { SERVICES };
        match services.get(self.service) {
            Some(service) => {
                self.state = State::Asked(Question::Socket);
                Command::Socket { service }.packet(self.revision)
            }
            // Without a directory: the socket that printers have.
            None => self.open(1),
        }
    }

    fn resolved(&mut self, done: bool, socket: u8) -> Vec<u8> {
        match socket {
            1.. if done => self.open(socket),
            _ => {
                self.service = self.service.saturating_add(1);
                self.ask_socket()
            }
        }
    }

    fn open(&mut self, socket: u8) -> Vec<u8> {
        self.state = State::Asked(Question::Open(socket));
        let bytes = u16::try_from(D4_PACKET_BYTES).unwrap_or(u16::MAX);
        Command::Open { socket, bytes }.packet(self.revision)
    }

    fn opened(&mut self, done: bool, socket: u8, bytes: u16, credit: u16) -> Vec<u8> {
        let payload = usize::from(bytes).min(D4_PACKET_BYTES).saturating_sub(HEADER_BYTES);
        if !done || payload == 0 {
            // It may be another's for now: the question is asked again when it is overdue.
            return Vec::new();
        }
        let credit = u32::from(credit);
        let channel = Channel { socket, payload, credit, asked: false, given: D4_CREDIT };
        self.state = State::Up(channel);
        Command::Credit { socket, credit: D4_CREDIT }.packet(self.revision)
    }

    /// The device gives credit. One that has none to give is asked again, later.
    fn credit(&mut self, to: u8, credit: u16) {
        if let State::Up(channel) = &mut self.state
            && channel.socket == to
        {
            channel.credit = channel.credit.saturating_add(credit.into());
            channel.asked &= credit == 0;
        }
    }

    fn give(&mut self, to: u8) -> u16 {
        match &mut self.state {
            State::Up(channel) if channel.socket == to => {
                let more = D4_CREDIT.saturating_sub(channel.given);
                channel.given = D4_CREDIT;
                more
            }
            _ => 0,
        }
    }

    /// A data packet came in on this socket: false where it is none of ours. `reply` is what is to be sent.
    pub(super) fn data(&mut self, socket: u8, credit: u8, reply: &mut Vec<u8>) -> bool {
        let State::Up(channel) = &mut self.state else { return false };
        if channel.socket != socket {
            return false;
        }
        channel.credit = channel.credit.saturating_add(credit.into());
        channel.asked &= credit == 0;
        channel.given = channel.given.saturating_sub(1);
        if channel.given <= D4_CREDIT / 2 {
            let credit = self.give(socket);
            reply.extend(Command::Credit { socket, credit }.packet(self.revision));
        }
        true
    }

    /// The right to send a packet: its socket, and its greatest payload.
    pub(super) fn spend(&mut self) -> Option<(u8, usize)> {
        let State::Up(channel) = &mut self.state else { return None };
        channel.credit = channel.credit.checked_sub(1)?;
        Some((channel.socket, channel.payload))
    }

    /// Packets that were not sent after all.
    pub(super) fn give_back(&mut self, packets: usize) {
        if let State::Up(channel) = &mut self.state {
            let packets = u32::try_from(packets).unwrap_or(u32::MAX);
            channel.credit = channel.credit.saturating_add(packets);
        }
    }

    /// Asks for credit where there is none, once.
    pub(super) fn request(&mut self) -> Option<Vec<u8>> {
        let State::Up(channel) = &mut self.state else { return None };
        let wanted = channel.credit == 0 && !std::mem::replace(&mut channel.asked, true);
        wanted.then(|| Command::CreditRequest { socket: channel.socket }.packet(self.revision))
    }
}

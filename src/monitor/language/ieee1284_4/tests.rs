mod wire;

use std::time::Duration;

use despool_spool::Played;
use proptest::prelude::*;

use super::command::{Command, Revision};
use super::packet::header;
use super::*;
use crate::limits::{D4_CREDIT, D4_PACKETS, STATUS_MISSES, STATUS_PACE_SILENT};
use crate::monitor::language::Reason;
use crate::monitor::language::testing::{Did, PLAIN, Rig, device, status};
use crate::monitor::port::{How, Stopped};

const INIT: &[u8] = b"\0\0\0\x08\x01\0\0\x20";
const INITIALIZED: &[u8] = b"\0\0\0\x09\x01\0\x80\0\x20";
const SOCKET: &[u8] = b"\0\0\0\x0c\x01\0\x09PRINT";
const RESOLVED: &[u8] = b"\0\0\0\x0e\x01\0\x89\0\x01PRINT";
const OPEN: &[u8] = b"\0\0\0\x0f\x01\0\x01\x01\x01\x40\0\x40\0\xff\xff";
const GIVE: &[u8] = b"\0\0\0\x0b\x01\0\x03\x01\x01\0\x10";
const REQUEST: &[u8] = b"\0\0\0\x0b\x01\0\x04\x01\x01\xff\xff";

fn say(bytes: &[u8]) -> Did {
    Did::Say(bytes.into())
}

/// The device's answer that opens the channel: packets of 16 bytes of payload, so much credit.
fn opened(credit: u8) -> Vec<u8> {
    [b"\0\0\0\x12\x01\0\x81\0\x01\x01\0\x16\0\x16\xff\xff\0", &[credit][..]].concat()
}

fn credit(more: u8) -> Vec<u8> {
    [b"\0\0\0\x0b\x01\0\x03\x01\x01\0", &[more][..]].concat()
}

/// A packet on the channel.
fn data(payload: &[u8]) -> Vec<u8> {
    [&header(1, payload.len(), 0)[..], payload].concat()
}

/// The payload of the packets that were said.
fn said(did: &[Did]) -> Vec<u8> {
    let packets = did.iter().map(|did| match did {
        Did::Say(packet) => &packet[packet.len().min(6)..],
        other => panic!("{other:?}"),
    });
    packets.collect::<Vec<_>>().concat()
}

/// A device whose channel is open, and greeted.
fn up(credit: u8) -> Rig {
    let mut rig = Rig::new(Ieee1284_4::new(PLAIN));
    assert_eq!(rig.present(&device("MFG:HP;")), [say(INIT)]);
    assert_eq!(rig.hear(INITIALIZED), [say(SOCKET)]);
    assert_eq!(rig.spell(RESOLVED), [say(OPEN)]);
    let did = rig.hear(&opened(100));
    assert_eq!(did[0], say(GIVE));
    assert!(said(&did[1..]).starts_with(b"\x1b%-12345X@PJL\r\n"), "{did:?}");
    let used = u8::try_from(did.len() - 1).unwrap();
    let rest = 100 - used;
    // What is left is used up by what a language says, so that the tests know how much there is.
    rig.begin(0);
    for _ in 0..rest - credit {
        rig.write(b"x");
        room(&mut rig);
    }
    over(&mut rig, Over::Ended);
    rig
}

fn over(rig: &mut Rig, how: Over) -> Vec<Did> {
    rig.step(|core, now, out| core.over(how, now, out))
}

fn room(rig: &mut Rig) -> Vec<Did> {
    rig.step(|core, now, out| core.room(now, out))
}

fn stopped(how: How, said: u64, accepted: u64) -> Over {
    Over::Stopped(how, Some(Stopped { said, played: Played { accepted, offered: accepted } }))
}

fn add(bytes: &[u8]) -> Did {
    Did::Add(bytes.into())
}

fn write(bytes: &[u8]) -> Did {
    Did::Write(bytes.into())
}

#[test]
fn an_epson_is_brought_into_packet_mode() {
    let mut rig = Rig::new(Ieee1284_4::new(PLAIN));
    let entry = b"\0\0\0\x1b\x01@EJL 1284.4\n@EJL\n@EJL\n\0\0\0\x08\x01\0\0\x10";
    assert_eq!(rig.present(&device("MFG:EPSON;CMD:D4;")), [say(entry)]);
    assert_eq!(rig.hear(b"\0\0\0\x08\x01\0\xc5\0"), []);
    let socket = |service: &str| say(&Command::Socket { service }.packet(Revision::One));
    assert_eq!(rig.hear(b"\0\0\0\x09\x01\0\x80\0\x10"), [socket("EPSON-DATA")]);
    assert_eq!(rig.hear(b"\0\0\0\x09\x01\0\x89\x0a\0"), [socket("PRINT")], "it has none");
    let open = b"\0\0\0\x11\x01\0\x01\x40\x40\x40\0\x40\0\xff\xff\0\0";
    assert_eq!(rig.hear(b"\0\0\0\x09\x01\0\x89\0\x40"), [say(open)]);
}

#[test]
fn another_revision_is_tried_once() {
    let mut rig = Rig::new(Ieee1284_4::new(PLAIN));
    rig.present(&device("MFG:HP;"));
    let refused = b"\0\0\0\x09\x01\0\x80\x02\x10";
    assert_eq!(rig.hear(refused), [say(b"\0\0\0\x08\x01\0\0\x10")]);
    assert_eq!(rig.hear(refused), []);
    assert_eq!(rig.begin(0), []);
    assert_eq!(rig.write(b"as it is"), [write(b"as it is")]);
}

#[test]
fn a_document_goes_in_packets_as_far_as_there_is_credit() {
    let mut rig = up(3);
    assert_eq!(rig.begin(0), []);
    assert_eq!(
        rig.write(b"0123456789abcdefghij"),
        [
            add(b"\x01\x01\0\x16\0\0"),
            write(b"0123456789abcdef"),
            add(b"\x01\x01\0\x0a\0\0"),
            write(b"ghij")
        ]
    );
    assert_eq!(room(&mut rig), [], "half of the piece is gone");
    assert_eq!(room(&mut rig), [Did::Room]);
    let did = rig.write(b"0123456789abcdefX");
    assert_eq!(did[..2], [add(b"\x01\x01\0\x16\0\0"), write(b"0123456789abcdef")]);
    assert_eq!(did[2..], [add(REQUEST)], "no credit");
    assert_eq!(rig.step(|core, now, out| core.end(now, out)), []);
    assert_eq!(rig.pass(STATUS_PACE_SILENT), [add(REQUEST)], "it is asked again");
    assert_eq!(rig.hear(b"\0\0\0\x0c\x01\0\x84\0\x01\x01\0\0"), []);
    assert_eq!(rig.pass(STATUS_PACE_BUSY), [add(REQUEST)], "soon where it had none to give");
    let granted = b"\0\0\0\x0c\x01\0\x84\0\x01\x01\0\x01";
    assert_eq!(rig.hear(granted), [add(b"\x01\x01\0\x07\0\0"), write(b"X"), Did::End]);
    assert_eq!(over(&mut rig, Over::Ended), []);
}

#[test]
fn credit_comes_in_three_ways() {
    let packet = [add(b"\x01\x01\0\x07\0\0"), write(b"x")];
    let gift = [&[1, 1, 0, 6, 1, 0][..]].concat();
    for (nth, more) in
        [credit(1), b"\0\0\0\x0c\x01\0\x84\0\x01\x01\0\x01".to_vec(), gift].iter().enumerate()
    {
        let mut rig = up(0);
        rig.begin(0);
        assert_eq!(rig.write(b"x"), [add(REQUEST)]);
        let did = rig.hear(more);
        let reply = usize::from(nth == 0);
        assert_eq!(did[reply..], packet, "{nth}");
        assert!(did[..reply].iter().all(|did| *did == add(b"\0\0\0\x0a\x01\0\x83\0\x01\x01")));
    }
}

#[test]
fn status_comes_while_the_document_goes() {
    let mut rig = up(9);
    rig.begin(0);
    let news = b"@PJL USTATUS DEVICE\r\nCODE=40021\r\nDISPLAY=\"DOOR\"\r\nONLINE=FALSE\r\n\x0c";
    let (one, two) = news.split_at(20);
    assert_eq!(rig.hear(&data(one)), []);
    assert_eq!(rig.write(b"x"), [add(b"\x01\x01\0\x07\0\0"), write(b"x")]);
    assert_eq!(rig.spell(&data(two)), [status(&[Reason::stops("cover-open")], "DOOR")]);
    assert_eq!(rig.hear(b"\x02\x02\0\x07\0\0?"), [], "another socket's");
}

#[test]
fn the_device_is_given_credit_before_it_has_none() {
    let mut rig = up(9);
    let half = u8::try_from(D4_CREDIT / 2).unwrap();
    for _ in 1..half {
        assert_eq!(rig.hear(&data(b"")), []);
    }
    let more = [b"\0\0\0\x0b\x01\0\x03\x01\x01\0", &[half][..]].concat();
    assert_eq!(rig.hear(&data(b"")), [say(&more)]);
    rig.hear(&data(b""));
    let asked = b"\0\0\0\x0b\x01\0\x04\x01\x01\xff\xff";
    assert_eq!(rig.hear(asked), [say(b"\0\0\0\x0c\x01\0\x84\0\x01\x01\0\x01")]);
}

#[test]
fn a_job_that_goes_on_completes_its_packet() {
    for (said, accepted, rest) in
        [(6, 5, &b""[..]), (6, 0, b""), (2, 0, b"\0\x16\0\0"), (5, 0, b"\0")]
    {
        let mut rig = up(9);
        rig.begin(0);
        let document = b"0123456789abcdef";
        rig.write(document);
        assert_eq!(over(&mut rig, stopped(How::Park, said, accepted)), []);
        assert_eq!(rig.hear(&credit(1)), [], "nothing is said in the middle of a packet");
        let begun = rig.begin(accepted);
        assert_eq!(begun, if rest.is_empty() { vec![] } else { vec![add(rest)] }, "{said}");
        let at = usize::try_from(accepted).unwrap();
        let more = [&document[at..], b"next"].concat();
        assert_eq!(
            rig.write(&more),
            [
                write(&document[at..]),
                add(b"\0\0\0\x0a\x01\0\x83\0\x01\x01"),
                add(b"\x01\x01\0\x0a\0\0"),
                write(b"next")
            ]
        );
    }
}

#[test]
fn a_job_may_be_stopped_in_the_same_packet_again() {
    let mut rig = up(9);
    rig.begin(0);
    rig.write(b"0123456789abcdef");
    over(&mut rig, stopped(How::Park, 4, 0));
    assert_eq!(rig.begin(0), [add(b"\0\0")]);
    rig.write(b"0123");
    over(&mut rig, stopped(How::Park, 1, 0));
    assert_eq!(rig.begin(0), [add(b"\0")]);
    rig.write(b"0123");
    over(&mut rig, stopped(How::Park, 1, 3));
    assert_eq!(rig.begin(3), []);
    assert_eq!(rig.write(b"3456789abcdef"), [write(b"3456789abcdef")]);
    assert_eq!(rig.write(b"x"), [add(b"\x01\x01\0\x07\0\0"), write(b"x")]);
}

#[test]
fn a_packet_that_nobody_completes_is_filled_up() {
    let mut rig = up(9);
    rig.begin(0);
    rig.write(b"0123456789abcdef");
    let did = over(&mut rig, stopped(How::Cancel, 6, 10));
    assert_eq!(did[0], say(&[0; 6]));
    assert_eq!(said(&did[1..]), b"\x1b%-12345X", "in a packet");
    rig.begin(0);
    rig.write(b"0123456789abcdef");
    over(&mut rig, stopped(How::Park, 3, 0));
    let other = rig.begin(7);
    assert_eq!(other, [add(&[&b"\x16\0\0"[..], &[0; 16]].concat())], "another job");
}

#[test]
fn packets_that_were_not_sent_have_their_credit_still() {
    let mut rig = up(2);
    rig.begin(0);
    rig.write(b"0123456789abcdef0123456789abcdef");
    over(&mut rig, stopped(How::Park, 6, 16));
    rig.begin(16);
    let packet = [add(b"\x01\x01\0\x16\0\0"), write(b"0123456789abcdef")];
    assert_eq!(rig.write(b"0123456789abcdef"), packet);
}

#[test]
fn one_that_never_answers_gets_documents_as_they_are() {
    let mut rig = Rig::new(Ieee1284_4::new(PLAIN));
    rig.present(&device("MFG:HP;"));
    rig.begin(0);
    assert_eq!(rig.write(b"waits"), []);
    for _ in 1..STATUS_MISSES {
        assert_eq!(rig.wake(), [add(INIT)]);
    }
    assert_eq!(rig.wake(), [status(&[], ""), write(b"waits")]);
    assert_eq!(room(&mut rig), [Did::Room]);
    assert_eq!(rig.write(b"goes"), [write(b"goes")]);
    assert_eq!(rig.core.due(), None);
}

#[test]
fn one_that_falls_out_of_step_is_brought_up_anew() {
    for broken in [
        &b"\0\0\0\x07\x01\0\x08"[..],
        b"\0\0\0\x0a\x01\0\x7f\x01\x01\x81",
        b"\0\0\0\x09\x01\0\x02\x01\x01",
        b"\x01\x01\0\0\0\0",
    ] {
        let mut rig = up(9);
        rig.begin(0);
        let did = rig.hear(broken);
        let begins_anew = |did: &Did| matches!(did, Did::Add(bytes) if bytes.ends_with(INIT));
        assert!(did.last().is_some_and(begins_anew), "{}", broken.escape_ascii());
        assert_eq!(rig.write(b"x"), [], "waits");
        rig.hear(INITIALIZED);
        rig.hear(RESOLVED);
        let did = rig.hear(&opened(1));
        assert_eq!(did, [add(GIVE), add(b"\x01\x01\0\x07\0\0"), write(b"x")]);
    }
}

#[test]
fn where_each_job_is_a_connection_it_is_brought_up_there() {
    let mut rig = Rig::new(Ieee1284_4::new(PLAIN));
    let socket = DeviceNote { job_is_connection: true, ..device("MFG:HP;") };
    assert_eq!(rig.present(&socket), []);
    assert_eq!(rig.begin(0), [add(INIT)]);
    rig.hear(INITIALIZED);
    rig.hear(RESOLVED);
    assert_eq!(rig.hear(&opened(9)), [add(GIVE)]);
    assert_eq!(rig.write(b"x"), [add(b"\x01\x01\0\x07\0\0"), write(b"x")]);
    assert_eq!((over(&mut rig, Over::Ended), rig.core.due()), (vec![], None));
}

#[test]
fn a_device_that_went_away_is_forgotten() {
    let mut rig = up(9);
    rig.begin(0);
    rig.write(b"0123456789abcdef");
    rig.core.absent();
    assert_eq!(over(&mut rig, Over::Lost), []);
    assert_eq!((rig.hear(INITIALIZED), rig.core.due()), (vec![], None));
    assert_eq!(rig.present(&device("MFG:HP;")), [say(INIT)], "and begins anew");
}

#[test]
fn no_more_packets_are_under_way_than_the_lane_takes() {
    let mut rig = up(40);
    rig.begin(0);
    let did = rig.write(&[b'x'; 16 * 20]);
    let slices = |did: &[Did]| did.iter().filter(|did| matches!(did, Did::Write(_))).count();
    assert_eq!(slices(&did), D4_PACKETS);
    assert_eq!(slices(&room(&mut rig)), 1);
}

#[test]
fn silence_of_a_link_that_stands_is_none() {
    let mut rig = up(0);
    rig.begin(0);
    rig.write(b"x");
    let did = rig.pass(20 * STATUS_PACE_SILENT);
    assert!(did.len() > 10 && did.iter().all(|did| *did == add(REQUEST)), "{did:?}");
}

proptest! {
    /// Whatever is stopped wherever, the device gets every byte of the document once, in whole packets.
    #[test]
    fn the_payload_of_all_packets_is_the_document(
        pieces in prop::collection::vec(1usize..20, 1..7),
        stops in prop::collection::vec(0usize..150, 0..6),
    ) {
        let document: Vec<u8> = (0u8..=255).cycle().take(pieces.iter().sum()).collect();
        let mut rig = up(40);
        let (mut wire, mut from) = (Vec::<u8>::new(), 0usize);
        for stop in stops.into_iter().map(Some).chain([None]) {
            rig.hear(&credit(50));
            let mut did = rig.begin(from as u64);
            let mut at = 0;
            for piece in &pieces {
                let (start, end) = (at.max(from), at + piece);
                at = end;
                if start < end {
                    did.extend(rig.write(&document[start..end]));
                }
            }
            let (mut said, mut accepted) = (0u64, from as u64);
            let mut left = stop.unwrap_or(usize::MAX);
            for did in did {
                let (bytes, count) = match &did {
                    Did::Add(bytes) => (bytes, &mut said),
                    Did::Write(bytes) => (bytes, &mut accepted),
                    other => panic!("{other:?}"),
                };
                let len = bytes.len().min(left);
                left -= len;
                *count += len as u64;
                wire.extend(&bytes[..len]);
            }
            if stop.is_some() {
                prop_assert_eq!(over(&mut rig, stopped(How::Park, said, accepted)), []);
            }
            from = usize::try_from(accepted).unwrap();
        }
        let mut packets = Packets::default();
        let got: Vec<u8> = wire
            .iter()
            .filter_map(|byte| packets.take(*byte))
            .filter(|packet| packet.socket == 1)
            .flat_map(|packet| packet.payload)
            .collect();
        prop_assert!(!packets.is_garbled());
        prop_assert_eq!(got, document);
    }

    #[test]
    fn whatever_comes_it_stays_bounded(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut rig = up(3);
        rig.begin(0);
        rig.hear(&bytes);
        rig.write(b"0123456789abcdefghij");
        rig.pass(Duration::from_secs(10));
    }
}

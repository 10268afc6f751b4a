use proptest::prelude::*;

use super::*;

fn read_all(bytes: &[u8]) -> Vec<Message> {
    let (mut reader, mut read) = (Reader::default(), Vec::new());
    for byte in bytes {
        reader.push(&[*byte]);
        while let Some(message) = reader.next_message().unwrap() {
            read.push(message);
        }
    }
    read
}

#[test]
fn golden_both_ways() {
    let condition = Condition { paper_out: true, offline: false, fault: true };
    let lines = ModemLines { cts: true, dsr: false, dcd: false, ri: true };
    let registers = Registers { data: 4, control: 12 };
    let cases: [(Message, &[u8]); 14] = [
        (Message::Limit(0x0102), &[1, 8, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]),
        (Message::Condition(condition), &[2, 1, 0, 0, 0, 5]),
        (Message::Words(b"ok".to_vec()), &[3, 2, 0, 0, 0, b'o', b'k']),
        (Message::Id(vec![0, 2]), &[4, 2, 0, 0, 0, 0, 2]),
        (Message::Modes(Modes { nibble: true, byte: false, ecp: true }), &[5, 1, 0, 0, 0, 5]),
        (Message::Restore(registers), &[6, 2, 0, 0, 0, 4, 12]),
        (Message::Ask, &[7, 0, 0, 0, 0]),
        (Message::Lines(lines), &[8, 1, 0, 0, 0, 9]),
        (Message::Taken(vec![1]), &[33, 1, 0, 0, 0, 1]),
        (Message::Reset, &[34, 0, 0, 0, 0]),
        (
            Message::State { registers, accesses: 1, taken: 2 },
            &[35, 18, 0, 0, 0, 4, 12, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
        ),
        (Message::Outputs { dtr: true, rts: false }, &[36, 1, 0, 0, 0, 1]),
        (
            Message::Format { baud: 9600, bits: 7, parity: b'E', stop: 2 },
            &[37, 7, 0, 0, 0, 0x80, 0x25, 0, 0, 7, b'E', 2],
        ),
        (Message::Break, &[38, 0, 0, 0, 0]),
    ];
    for (message, bytes) in cases {
        let mut out = Vec::new();
        message.put(&mut out);
        assert_eq!(out, bytes, "{message:?}");
        assert_eq!(read_all(bytes), [message]);
    }
}

#[test]
fn what_is_no_message() {
    for bytes in [[99, 0, 0, 0, 0], [6, 0, 0, 0, 0], [3, 1, 0, 1, 0]] {
        let mut reader = Reader::default();
        reader.push(&bytes);
        assert_eq!(reader.next_message(), Err(Garbled));
    }
}

#[test]
fn the_remote_printer_takes_what_it_may() {
    let now = Instant::now();
    let mut remote = Remote::default();
    assert_eq!(remote.take(b"abc", now), 0);
    assert_eq!(remote.hear(Message::Limit(2)), None);
    assert_eq!(remote.take(b"abc", now), 2);
    assert_eq!(remote.hear(Message::Limit(3)), None);
    assert_eq!(remote.take(b"cd", now), 1);
    remote.reset(now);
    let mut out = Vec::new();
    remote.tell(&mut out);
    assert_eq!(read_all(&out), [Message::Taken(b"abc".to_vec()), Message::Reset]);
    assert!(!remote.has_news());
    remote.hear(Message::Words(b"hi".to_vec()));
    assert_eq!(remote.say(1, now), b"h");
    assert_eq!(remote.hear(Message::Ask), Some(Message::Ask));
}

proptest! {
    #[test]
    fn long_bodies_are_cut(length in 0usize..200_000) {
        let mut out = Vec::new();
        Message::Taken(vec![7; length]).put(&mut out);
        let (mut reader, mut total) = (Reader::default(), 0);
        reader.push(&out);
        while let Some(Message::Taken(bytes)) = reader.next_message().unwrap() {
            total += bytes.len();
        }
        prop_assert_eq!(total, length);
    }
}

#[test]
fn fuzz_messages() {
    bolero::check!().for_each(|input: &[u8]| {
        let mut reader = Reader::default();
        reader.push(input);
        while let Ok(Some(message)) = reader.next_message() {
            let mut out = Vec::new();
            message.put(&mut out);
            assert!(out.len() <= input.len());
        }
    });
}

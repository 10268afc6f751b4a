//! The journal's bytes: golden both ways, and every record through bytes and back.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use despool_spool::journal::{Malformed, Record};
use despool_spool::{
    Cause, Change, Confirmed, Deed, DocumentState, Hold, JobId, Played, Recovery, Shadow, State,
    Ticket,
};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn id(number: u32) -> JobId {
    JobId::new(number).unwrap()
}

fn ticket() -> Ticket {
    Ticket {
        title: "Aé".into(),
        user: "u".into(),
        host: "h".into(),
        format: "f".into(),
        datatype: "RAW".into(),
        copies: 2,
        priority: 50,
        hold: Hold::Until(0x0102),
        submitted_ms: 3,
        extra: vec![("k".into(), "v".into())],
        ..Ticket::new("lp")
    }
}

const TICKET: &str = "0200 6c70  0300 41c3a9  0100 75  0100 68  0100 66  0300 524157  0200  32
     02 0201000000000000  0300000000000000  01 0100 6b 0100 76";

/// Every kind of record with the bytes that the layout in the module's documentation gives.
fn golden() -> Vec<(Record, String)> {
    let recovery =
        Recovery { cause: Cause::PowerLoss, deed: Deed::Held, maybe_on_paper: 9, at_ms: 8 };
    let recovery_hex = "02 03 0900000000000000 0800000000000000";
    let changed =
        |change, hex: &str| (Record::Changed { id: id(7), change }, format!("05 07000000 {hex}"));
    let snapshot = Shadow {
        id: id(5),
        ticket: ticket().into(),
        document: DocumentState::Whole { bytes: 4, crc32c: 0xaabb_ccdd },
        state: State::Canceled { at_ms: 1, why: "no".into() },
        started_ms: 2,
        prepared: true,
        played: Played { accepted: 3, offered: 4 },
        confirmed: Confirmed { bytes: 5, pages: 6 },
        recovery: Some(Box::new(recovery)),
        attempts: 1,
    };
    vec![
        (Record::Opened { boot: [0xab; 16], at_ms: 0x1122 }, format!("01 {} 2211000000000000", "ab".repeat(16))),
        (Record::Ids { next: 1025 }, "02 01040000".into()),
        (Record::Announced { id: id(7), direct: true, ticket: Box::new(ticket()) }, format!("03 07000000 01 {TICKET}")),
        (
            Record::Committed {
                id: id(7),
                bytes: 2,
                crc32c: 0x0102_0304,
                ticket: Some(Box::new(ticket())),
                inline: Some(b"hi".to_vec()),
            },
            format!("04 07000000 0200000000000000 04030201 01 {TICKET} 01 02000000 6869"),
        ),
        (
            Record::Committed { id: id(7), bytes: 70_000, crc32c: 1, ticket: None, inline: None },
            "04 07000000 7011010000000000 01000000 00 00".into(),
        ),
        changed(Change::Hold { why: "x".into() }, "01 0100 78"),
        changed(Change::Release, "02"),
        changed(Change::Prepare, "03"),
        changed(Change::Start { at_ms: 1 }, "04 0100000000000000"),
        changed(Change::Recover(recovery), &format!("05 {recovery_hex}")),
        changed(Change::Cancel { at_ms: 1, why: "x".into() }, "06 0100000000000000 0100 78"),
        changed(Change::Abort { at_ms: 1, why: "x".into() }, "07 0100000000000000 0100 78"),
        changed(Change::Complete { at_ms: 1 }, "08 0100000000000000"),
        changed(Change::Reprint, "09"),
        changed(Change::Edit(ticket().into()), &format!("0a {TICKET}")),
        changed(Change::Confirm(Confirmed { bytes: 1, pages: 2 }), "0b 0100000000000000 02000000"),
        (
            Record::Progress { id: id(7), played: Played { accepted: 1, offered: 2 } },
            "06 07000000 0100000000000000 0200000000000000".into(),
        ),
        (
            Record::Snapshot(Box::new(snapshot)),
            format!(
                "07 05000000 {TICKET} 02 0400000000000000 ddccbbaa 04 0100000000000000 0200 6e6f 0200000000000000 01
                 0300000000000000 0400000000000000 0500000000000000 06000000 0100 01 {recovery_hex}"
            ),
        ),
        (Record::Removed { id: id(7) }, "08 07000000".into()),
    ]
}

#[test]
fn golden_bytes_both_ways() {
    for (record, bytes) in golden() {
        let bytes = hex(&bytes);
        let mut encoded = Vec::new();
        record.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{record:?}");
        assert_eq!(Record::decode(&bytes).unwrap(), record);
    }
}

#[test]
fn a_record_cut_short_or_too_long_is_malformed() {
    for (record, bytes) in golden() {
        let mut bytes = hex(&bytes);
        for end in 0..bytes.len() {
            assert_eq!(
                Record::decode(&bytes[..end]),
                Err(Malformed::Short),
                "{record:?} cut at {end}"
            );
        }
        bytes.push(0);
        assert_eq!(Record::decode(&bytes), Err(Malformed::Long), "{record:?}");
    }
    assert_eq!(Record::decode(&[99]), Err(Malformed::Kind(99)));
    assert_eq!(Record::decode(&hex("08 00000000")), Err(Malformed::Value("job id")));
}

/// A journal as it lies on disk: the header and two frames, byte by byte.
#[test]
fn golden_journal() {
    let store = support::mem_store::MemStore::new(None);
    let generation = "0807060504030201";
    let header = hex(&format!("646573706f6f6c0a 0100 0000 d3b2eaa7 {generation} 0000000000000000"));
    let ids = hex("05000000 6e8e851a 02 2a000000");
    store.plant("journal", &[header, ids].concat());
    let (spool, report) = support::model::open(&store).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(spool.begin(Ticket::new("lp"), None).unwrap().job(), id(42));
}

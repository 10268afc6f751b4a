//! Fuzz targets of DCE/RPC: `cargo test --test fuzz_rpc` runs them on random input, `cargo bolero test --test fuzz_rpc
//! NAME` fuzzes. An association is fuzzed where its tests are (`src/rpc/association/tests/fuzz.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use bolero::check;
use despool::rpc::epm::Tower;
use despool::rpc::ndr::{BadStub, Reader, Syntax, Writer};
use despool::rpc::pdu::{BadPdu, Body, Header, Kind, Pdu, set_lengths};
use despool::rpc::uuid::{SyntaxId, Uuid};
use despool::rpc::verification::{Expected, check as check_trailer};
use despool::rpc::wire::ByteOrder;

/// A PDU that was read is written and read again, and says the same.
fn pdu(fragment: &[u8]) {
    let pdu = match Pdu::decode(fragment) {
        Ok(pdu) => pdu,
        Err(bad) => return assert!(!bad.to_string().is_empty()),
    };
    let again = pdu.encode(fragment);
    // Rests that mean nothing are not written, so the length may differ, and where the trailer is.
    let read = Pdu::decode(&again);
    let Ok(read) = read else {
        // What was padded so far that the padding is a body's by itself.
        assert!(matches!(read, Err(BadPdu::Padding | BadPdu::Length)), "{read:?} of {pdu:?}");
        return;
    };
    assert_eq!((read.header.kind, read.header.call_id), (pdu.header.kind, pdu.header.call_id));
    match (&read.body, &pdu.body) {
        (Body::Request(one, stub), Body::Request(other, before)) => {
            assert_eq!((one, stub.len()), (other, before.len()));
        }
        (Body::Response(one, stub), Body::Response(other, before)) => {
            assert_eq!((one, stub.len()), (other, before.len()));
        }
        (one, other) => assert_eq!(one, other),
    }
}

#[test]
fn fuzz_pdu() {
    check!().for_each(|octets: &[u8]| {
        pdu(octets);
        for kind in Kind::ALL {
            let flags = despool::rpc::pdu::Flags(octets.first().copied().unwrap_or_default());
            let mut fragment = Vec::new();
            Header::new(kind, flags, 7).encode(&mut fragment);
            fragment.extend(octets);
            fragment.truncate(usize::from(u16::MAX));
            for token in [0, 16] {
                set_lengths(&mut fragment, token);
                pdu(&fragment);
            }
            // Big-endian lengths, too.
            fragment[4] = 0;
            fragment[8..12].rotate_left(1);
            pdu(&fragment);
        }
    });
}

/// Reads the parameters that the octets name, until one is bad.
fn read(reader: &mut Reader<'_>, plan: &[u8], size: u32) -> Result<(), BadStub> {
    for what in plan {
        let before = reader.remaining();
        match what % 16 {
            0 => drop(reader.u8()?),
            1 => drop(reader.u16()?),
            2 => drop(reader.u32()?),
            3 => drop(reader.u64()?),
            4 => drop(reader.uuid()?),
            5 => drop(reader.context_handle()?),
            6 => drop(reader.pointer()?),
            7 => drop(reader.full_pointer()?),
            8 => assert!(reader.conformance(4)? * 4 <= reader.remaining()),
            9 => assert!(reader.conformant_variance(2)? * 2 <= reader.remaining()),
            10 => assert_eq!(reader.bytes(usize::from(*what) / 16)?.len(), usize::from(*what) / 16),
            11 => drop(reader.unique_bytes(size)?),
            12 => drop(reader.unique_uuid()?),
            13 => assert!(reader.wide_string(100)?.encode_utf16().count() < 100),
            14 => assert!(reader.narrow_string(100)?.chars().count() < 100),
            _ => drop(reader.count()?),
        }
        assert!(reader.remaining() <= before);
    }
    Ok(())
}

fn ndr(syntax: Syntax) {
    check!().with_type::<(Vec<u8>, Vec<u8>, u32)>().for_each(|(stub, plan, size)| {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let mut reader = Reader::new(stub, syntax, order);
            if let Err(bad) = read(&mut reader, plan, *size) {
                assert!(bad.at <= stub.len() && !bad.why.is_empty());
            }
        }
        // What was written is read, whatever comes before it.
        let bytes = stub.get(..stub.len().min(200)).unwrap_or_default();
        let text = String::from_utf8_lossy(plan).replace('\0', " ");
        let mut writer = Writer::new(syntax);
        writer.bytes(bytes).u64(9).unique_bytes(Some(bytes)).wide_string(&text).u32(*size);
        writer.unique_uuid(Some(Uuid::from_u128(3))).pointer(false).u16(5);
        let written = writer.finish();
        let mut reader = Reader::new(&written, syntax, ByteOrder::Little);
        assert_eq!(reader.bytes(bytes.len()), Ok(bytes));
        assert_eq!(reader.u64(), Ok(9));
        assert_eq!(reader.unique_bytes(bytes.len() as u32), Ok(Some(bytes)));
        assert_eq!(reader.wide_string(usize::MAX), Ok(text));
        assert_eq!(reader.u32(), Ok(*size));
        assert_eq!(reader.unique_uuid(), Ok(Some(Uuid::from_u128(3))));
        assert_eq!((reader.pointer(), reader.u16(), reader.remaining()), (Ok(false), Ok(5), 0));
    });
}

#[test]
fn fuzz_ndr() {
    ndr(Syntax::Ndr);
}

#[test]
fn fuzz_ndr64() {
    ndr(Syntax::Ndr64);
}

/// A tower that was read means the same when it is written and read again.
fn tower(octets: &[u8]) {
    if let Ok(tower) = Tower::decode(octets)
        && tower.tcp.is_some()
    {
        assert_eq!(Tower::decode(&tower.encode()), Ok(tower));
    }
}

#[test]
fn fuzz_tower() {
    let tcp = Some(([10, 0, 0, 5].into(), 49676));
    let good = Tower { interface: SyntaxId::NDR, transfer: SyntaxId::NDR64, tcp }.encode();
    check!().for_each(|octets: &[u8]| {
        tower(octets);
        let mut changed = good.clone();
        for change in octets.chunks_exact(2) {
            let at = usize::from(change[0]) % changed.len();
            changed[at] = change[1];
        }
        tower(&changed);
        tower(&changed[..usize::from(octets.first().copied().unwrap_or_default()) % changed.len()]);
    });
}

#[test]
fn fuzz_verification_trailer() {
    const MAGIC: &[u8] = &[0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71];
    let expected = Expected {
        header_signing: true,
        interface: SyntaxId::NDR64,
        transfer: SyntaxId::NDR,
        call_id: 1,
        context_id: 0,
        opnum: 0,
    };
    check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(stub, trailer)| {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            if let Ok(bytes) = check_trailer(stub, order, &expected) {
                assert!(bytes <= stub.len());
            }
            let mut whole = stub.clone();
            whole.resize(stub.len().next_multiple_of(4), 0);
            let stub_bytes = whole.len();
            whole.extend(MAGIC);
            whole.extend(trailer);
            // Claims that hold leave the stub; the octets may hold a trailer of their own behind it.
            if let Ok(bytes) = check_trailer(&whole, order, &expected) {
                assert!(bytes >= stub_bytes && bytes < whole.len());
            }
        }
    });
}

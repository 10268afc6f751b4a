//! The golden bytes were made by Samba's encoder (`samba.dcerpc.dcerpc.ncacn_packet`, 4.17).

use proptest::prelude::*;

use super::*;
use crate::rpc::uuid::{SyntaxId, Uuid};
use crate::rpc::wire::ByteOrder;

const ID: u32 = 0x0102_0304;
const PAN: SyntaxId = SyntaxId::new(Uuid::from_u128(0x0b6edbfa_4a24_4fc6_8a23_942b1eca65d1), 1, 0);

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn golden(hex: &str) -> Pdu {
    let fragment = octets(hex);
    let pdu = Pdu::decode(&fragment).unwrap();
    assert_eq!(pdu.header.call_id, ID);
    assert_eq!(pdu.encode(&fragment), fragment);
    for end in 0..fragment.len() {
        assert!(Pdu::decode(&fragment[..end]).is_err());
    }
    pdu
}

fn a_bind() -> Bind {
    let context = |id, transfer| Proposal { id, interface: PAN, transfers: vec![transfer] };
    let contexts = vec![
        context(0, SyntaxId::NDR),
        context(1, SyntaxId::NDR64),
        context(2, SyntaxId::asking_for(3)),
    ];
    Bind { max_transmit: 5840, max_receive: 4280, group: 0x1122_3344, contexts }
}

#[test]
fn binds() {
    let pdu = golden(
        "05000b1710000000a000000004030201d016b810443322110300000000000100fadb6e0b244ac64f8a23942b1eca65d101000000045d888aeb1cc9119fe808002b1048600200000001000100fadb6e0b244ac64f8a23942b1eca65d10100000033057171babe37498319b5dbef9ccc360100000002000100fadb6e0b244ac64f8a23942b1eca65d1010000002c1cb76c12984045030000000000000001000000",
    );
    let header = pdu.header;
    assert_eq!((header.kind, header.flags), (Kind::Bind, Flags(0x17)));
    assert_eq!((pdu.body, pdu.trailer), (Body::Bind(a_bind()), None));

    let pdu = golden(
        "05000e0310000000ad00050004030201d016b810443322110300000000000100fadb6e0b244ac64f8a23942b1eca65d101000000045d888aeb1cc9119fe808002b1048600200000001000100fadb6e0b244ac64f8a23942b1eca65d10100000033057171babe37498319b5dbef9ccc360100000002000100fadb6e0b244ac64f8a23942b1eca65d1010000002c1cb76c129840450300000000000000010000000906000007000000746f6b656e",
    );
    assert_eq!(pdu.body, Body::AlterContext(a_bind()));
    let trailer = pdu.trailer.unwrap();
    assert_eq!((trailer.auth_type, trailer.auth_level, trailer.context_id), (9, 6, 7));
    assert_eq!((trailer.pad_bytes, trailer.token.len()), (0, 5));
}

#[test]
fn a_big_endian_bind_is_read() {
    let fragment = octets(
        "05000b0300000000004800000102030416d010b811223344010000000005010\
         00b6edbfa4a244fc68a23942b1eca65d1000000018a885d041ceb11c99fe808002b10486000000002",
    );
    let pdu = Pdu::decode(&fragment).unwrap();
    assert_eq!((pdu.header.order, pdu.header.call_id), (ByteOrder::Big, ID));
    let proposal = Proposal { id: 5, interface: PAN, transfers: vec![SyntaxId::NDR] };
    assert_eq!(pdu.body, Body::Bind(Bind { contexts: vec![proposal], ..a_bind() }));
    assert_eq!(Header::fragment_length(&fragment), Some(fragment.len()));
}

#[test]
fn answers_to_binds() {
    let results = vec![
        AckResult::Accepted(SyntaxId::NDR),
        AckResult::NO_TRANSFER_SYNTAX,
        AckResult::Features(3),
    ];
    let ack = BindAck {
        max_transmit: 5840,
        max_receive: 5840,
        group: 0x1122_3344,
        secondary_address: "49670".to_owned(),
        results,
    };
    let pdu = golden(
        "05000c13100000006c00000004030201d016d0164433221106003439363730000300000000000000045d888aeb1cc9119fe808002b10486002000000020002000000000000000000000000000000000000000000030003000000000000000000000000000000000000000000",
    );
    assert_eq!(pdu.body, Body::BindAck(ack.clone()));
    let resp = BindAck { secondary_address: String::new(), ..ack };
    let pdu = golden(
        "05000f03100000006800000004030201d016d01644332211000000000300000000000000045d888aeb1cc9119fe808002b10486002000000020002000000000000000000000000000000000000000000030003000000000000000000000000000000000000000000",
    );
    assert_eq!(pdu.body, Body::AlterContextResp(resp.clone()));
    let pdu = golden(
        "05000f03100000007500050004030201d016d01644332211000000000300000000000000045d888aeb1cc9119fe808002b104860020000000200020000000000000000000000000000000000000000000300030000000000000000000000000000000000000000000906000007000000746f6b656e",
    );
    assert_eq!((pdu.body, pdu.trailer.is_some()), (Body::AlterContextResp(resp), true));
    let pdu = golden("05000d031000000018000000040302010400010500000000");
    assert_eq!(pdu.body, Body::BindNak(BindNak::new(BindNak::PROTOCOL_VERSION)));
}

#[test]
fn calls_and_their_answers() {
    let request = Request { alloc_hint: 4, context_id: 1, opnum: 5, object: None };
    let pdu = golden("05000003100000001c00000004030201040000000100050001020304");
    assert_eq!(pdu.body, Body::Request(request.clone(), 24..28));
    let object = "00112233-4455-6677-8899-aabbccddeeff".parse().ok();
    let pdu = golden(
        "05000083100000002c00000004030201040000000100050033221100554477668899aabbccddeeff01020304",
    );
    assert_eq!(pdu.body, Body::Request(Request { object, ..request }, 40..44));
    let response = Response { alloc_hint: 4, context_id: 1, cancel_count: 0 };
    let pdu = golden("05000203100000001c00000004030201040000000100000001020304");
    assert_eq!(pdu.body, Body::Response(response, 24..28));
    let pdu = golden("0500032310000000200000000403020120000000010000000b00011c00000000");
    assert_eq!(pdu.body, Body::Fault(Fault::new(1, 0x1C01_000B)));
    assert!(pdu.header.flags.has(Flags::DID_NOT_EXECUTE | Flags::WHOLE));
}

#[test]
fn pdus_without_a_body() {
    let auth3 = golden("05001003100000002100050004030201000000000906000007000000746f6b656e");
    assert_eq!((auth3.body, auth3.trailer.map(|t| t.token)), (Body::Auth3, Some(28..33)));
    assert_eq!(golden("05001203100000001000000004030201").body, Body::CoCancel);
    assert_eq!(golden("05001303100000001000000004030201").body, Body::Orphaned);
    assert_eq!(golden("05001103100000001000000004030201").body, Body::Shutdown);
}

#[test]
fn headers_that_lie() {
    let bad = |hex: &str| Pdu::decode(&octets(hex)).unwrap_err();
    assert_eq!(bad("04001203100000001000000004030201"), BadPdu::Version);
    assert_eq!(bad("05000103100000001000000004030201"), BadPdu::Kind(1));
    assert_eq!(bad("05001203100000001100000004030201"), BadPdu::Length);
    assert_eq!(bad("05001203100000001000010004030201"), BadPdu::Length);
    assert_eq!(bad("0500000310000000100000000403020100"), BadPdu::Length);
    assert_eq!(bad("050000031000000010000000040302 01".replace(' ', "").as_str()), BadPdu::Body);
    // Nine octets of padding where the stub has eight.
    let padded = "050000031000000030000800040302010400000001000500010203040506070809060900070000000102030405060708";
    assert_eq!(bad(padded), BadPdu::Padding);
}

proptest! {
    #[test]
    fn any_octets_are_a_pdu_or_not(octets in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..Kind::ALL.len()) {
        let mut fragment = vec![5, 0, Kind::ALL[kind] as u8];
        fragment.extend(octets);
        if let Ok(length) = u16::try_from(fragment.len()) && fragment.len() > 10 {
            fragment[4] = 0x10;
            fragment[8..10].copy_from_slice(&length.to_le_bytes());
        }
        if let Ok(pdu) = Pdu::decode(&fragment) {
            for range in [&pdu.body].into_iter().filter_map(|body| match body {
                Body::Request(_, stub) | Body::Response(_, stub) => Some(stub.clone()),
                _ => None,
            }) {
                prop_assert!(range.start <= range.end && range.end <= fragment.len());
            }
            // What was read is written so that it reads the same.
            let again = pdu.encode(&fragment);
            let read = Pdu::decode(&again).unwrap();
            prop_assert_eq!(read.trailer.is_some(), pdu.trailer.is_some());
            prop_assert_eq!(read.header.call_id, pdu.header.call_id);
        }
    }
}

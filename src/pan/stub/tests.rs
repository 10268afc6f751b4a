//! Golden bytes both ways, in both syntaxes (the digest's vectors, checked there against impacket's marshaller); properties.

use proptest::prelude::*;

use super::*;
use crate::rpc::wire::ByteOrder;

const H: ContextHandle =
    ContextHandle::new(Uuid::from_u128(0x1111_1111_2222_3333_4444_5555_5555_5555));
const K: ContextHandle =
    ContextHandle::new(Uuid::from_u128(0x6666_6666_7777_8888_9999_aaaa_aaaa_aaaa));
const NULL: ContextHandle = ContextHandle::NULL;
const ASYNCUI: Uuid = Uuid::from_u128(0xf685_3f92_eb31_4e23_b6e7_fd69_0561_53f0);
const RELEASE: Uuid = Uuid::from_u128(0xba9a_5027_a70e_4ae7_9b7d_eb3e_06ad_4157);

fn notified(notification_type: Uuid, data: Option<&[u8]>) -> Notified {
    Notified {
        notification_type: Some(notification_type),
        data: data.map(Bytes::copy_from_slice),
        result: HResult::OK,
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn decode<S: Stub>(stub: &[u8], syntax: Syntax) -> Result<S, BadStub> {
    S::read(&mut Reader::new(stub, syntax, ByteOrder::Little))
}

fn both_ways<S: Stub + PartialEq + std::fmt::Debug>(value: &S, ndr: &str, ndr64: &str) {
    for (syntax, golden) in [(Syntax::Ndr, hex(ndr)), (Syntax::Ndr64, hex(ndr64))] {
        assert_eq!(value.encode(syntax), golden, "{syntax:?}");
        assert_eq!(decode::<S>(&golden, syntax).as_ref(), Ok(value), "{syntax:?}");
        for cut in 0..golden.len() {
            assert!(decode::<S>(&golden[..cut], syntax).is_err(), "{syntax:?} cut at {cut}");
        }
    }
}

#[test]
fn register_for_a_printer() {
    both_ways(
        &Register {
            object: H,
            name: Some("\\\\srv\\lp".into()),
            notification_type: ASYNCUI,
            filter: 0,
            style: 1,
        },
        "0000000011111111222233334444555555555555000002000900000000000000090000005c005c00 \
         7300720076005c006c00700000000000923f85f631eb234eb6e7fd69056153f00000000001000000",
        "00000000111111112222333344445555555555550000000000000200000000000900000000000000 \
         000000000000000009000000000000005c005c007300720076005c006c00700000000000923f85f6 \
         31eb234eb6e7fd69056153f00000000001000000",
    );
}

#[test]
fn register_for_the_server() {
    both_ways(
        &Register { object: H, name: None, notification_type: ASYNCUI, filter: 1, style: 0 },
        "000000001111111122223333444455555555555500000000923f85f631eb234eb6e7fd69056153f0 \
         0100000000000000",
        "0000000011111111222233334444555555555555000000000000000000000000923f85f631eb234e \
         b6e7fd69056153f00100000000000000",
    );
}

#[test]
fn registered() {
    both_ways(
        &Registered { referral: None, result: HResult::OK },
        "0000000000000000",
        "000000000000000000000000",
    );
}

#[test]
fn two_new_channels() {
    both_ways(
        &NewChannels { channels: vec![H, K], result: HResult::OK },
        "02000000000002000200000000000000111111112222333344445555555555550000000066666666 \
         777788889999aaaaaaaaaaaa00000000",
        "02000000000000000000020000000000020000000000000000000000111111112222333344445555 \
         555555550000000066666666777788889999aaaaaaaaaaaa00000000",
    );
}

#[test]
fn no_new_channels() {
    both_ways(
        &NewChannels { channels: vec![], result: HResult::TERMINATED },
        "00000000000000001a070780",
        "000000000000000000000000000000001a070780",
    );
}

#[test]
fn the_first_call_on_a_channel() {
    both_ways(
        &SendResponse { channel: K, notification_type: None, data: None },
        "0000000066666666777788889999aaaaaaaaaaaa000000000000000000000000",
        "0000000066666666777788889999aaaaaaaaaaaa0000000000000000000000000000000000000000 \
         0000000000000000",
    );
}

#[test]
fn a_response() {
    both_ways(
        &SendResponse {
            channel: K,
            notification_type: Some(ASYNCUI),
            data: Some(Bytes::from_static(b"abc")),
        },
        "0000000066666666777788889999aaaaaaaaaaaa00000200923f85f631eb234eb6e7fd69056153f0 \
         030000000400020003000000616263",
        "0000000066666666777788889999aaaaaaaaaaaa000000000000020000000000923f85f631eb234e \
         b6e7fd69056153f0030000000000000004000200000000000300000000000000616263",
    );
}

#[test]
fn the_next_notification() {
    both_ways(
        &Responded { channel: K, notified: notified(ASYNCUI, Some(b"abc")) },
        "0000000066666666777788889999aaaaaaaaaaaa00000200923f85f631eb234eb6e7fd69056153f0 \
         0300000004000200030000006162630000000000",
        "0000000066666666777788889999aaaaaaaaaaaa000000000000020000000000923f85f631eb234e \
         b6e7fd69056153f00300000000000000040002000000000003000000000000006162630000000000",
    );
}

#[test]
fn a_lost_channel() {
    both_ways(
        &Responded { channel: NULL, notified: notified(RELEASE, None) },
        "00000000000000000000000000000000000000000000020027509aba0ea7e74a9b7deb3e06ad4157 \
         000000000000000000000000",
        "000000000000000000000000000000000000000000000000000002000000000027509aba0ea7e74a \
         9b7deb3e06ad41570000000000000000000000000000000000000000",
    );
}

#[test]
fn a_notification() {
    both_ways(
        &notified(ASYNCUI, Some(b"abc")),
        "00000200923f85f631eb234eb6e7fd69056153f00300000004000200030000006162630000000000",
        "0000020000000000923f85f631eb234eb6e7fd69056153f003000000000000000400020000000000 \
         03000000000000006162630000000000",
    );
}

#[test]
fn close_without_an_answer() {
    both_ways(
        &Close { channel: K, notification_type: RELEASE, reason: None },
        "0000000066666666777788889999aaaaaaaaaaaa27509aba0ea7e74a9b7deb3e06ad415700000000 \
         00000000",
        "0000000066666666777788889999aaaaaaaaaaaa27509aba0ea7e74a9b7deb3e06ad415700000000 \
         0000000000000000",
    );
}

#[test]
fn closed_too_late() {
    both_ways(
        &Closed { channel: NULL, result: HResult::CHANNEL_ACQUIRED },
        "000000000000000000000000000000000000000010000400",
        "000000000000000000000000000000000000000010000400",
    );
}

#[test]
fn created() {
    both_ways(
        &Created { object: H, result: HResult::OK },
        "000000001111111122223333444455555555555500000000",
        "000000001111111122223333444455555555555500000000",
    );
}

#[test]
fn deleted() {
    both_ways(
        &Handle(NULL),
        "0000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000",
    );
}

#[test]
fn sizes_that_do_not_agree() {
    let golden = notified(ASYNCUI, Some(b"abc")).encode(Syntax::Ndr);
    for (at, value) in [(20, 4), (20, 2), (28, 4), (28, 0xff)] {
        let mut stub = golden.clone();
        stub[at] = value;
        assert!(decode::<Notified>(&stub, Syntax::Ndr).is_err(), "byte {at} is {value}");
    }
    // A null pointer whose size is not zero.
    let mut stub = golden;
    stub[24..28].fill(0);
    assert!(decode::<Notified>(&stub, Syntax::Ndr).is_err());
}

fn syntaxes() -> impl Strategy<Value = Syntax> {
    prop_oneof![Just(Syntax::Ndr), Just(Syntax::Ndr64)]
}

fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

proptest! {
    #[test]
    fn registrations_both_ways(
        syntax in syntaxes(), object in uuids(), name in proptest::option::of("[^\\x00]{0,40}"),
        notification_type in uuids(), filter: u32, style: u32,
    ) {
        let object = ContextHandle::new(object);
        let register = Register { object, name, notification_type, filter, style };
        prop_assert_eq!(decode::<Register>(&register.encode(syntax), syntax), Ok(register));
    }

    #[test]
    fn notifications_both_ways(
        syntax in syntaxes(), channel in uuids(), notification_type in proptest::option::of(uuids()),
        data in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)), result: u32,
    ) {
        let data = data.map(Bytes::from);
        let notified = Notified { notification_type, data, result: HResult(result) };
        let responded = Responded { channel: ContextHandle::new(channel), notified };
        prop_assert_eq!(decode::<Responded>(&responded.encode(syntax), syntax), Ok(responded));
    }

    #[test]
    fn channels_both_ways(
        syntax in syntaxes(), uuids in proptest::collection::vec(uuids(), 0..20), result: u32,
    ) {
        let channels = uuids.into_iter().map(ContextHandle::new).collect();
        let new = NewChannels { channels, result: HResult(result) };
        prop_assert_eq!(decode::<NewChannels>(&new.encode(syntax), syntax), Ok(new));
    }

    #[test]
    fn arbitrary_bytes_never_panic(syntax in syntaxes(), stub in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::<Register>(&stub, syntax);
        let _ = decode::<SendResponse>(&stub, syntax);
        let _ = decode::<Close>(&stub, syntax);
        let _ = decode::<Responded>(&stub, syntax);
        let _ = decode::<NewChannels>(&stub, syntax);
    }
}

use super::*;
use crate::rpc::wire::ByteOrder;
use proptest::prelude::*;

const ASYNC_UI: Uuid = Uuid::from_u128(0xf6853f92_eb31_4e23_b6e7_fd69056153f0);
const RELEASE: Uuid = Uuid::from_u128(0xba9a5027_a70e_4ae7_9b7d_eb3e06ad4157);
const H: ContextHandle =
    ContextHandle::new(Uuid::from_u128(0x11111111_2222_3333_4444_555555555555));
const K: ContextHandle =
    ContextHandle::new(Uuid::from_u128(0x66666666_7777_8888_9999_aaaaaaaaaaaa));
const BOTH: [Syntax; 2] = [Syntax::Ndr, Syntax::Ndr64];

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// Golden bytes both ways: what is written is them, and they are read to their end.
fn golden(
    [ndr, ndr64]: [&str; 2],
    write: impl Fn(&mut Writer),
    read: impl Fn(&mut Reader<'_>) -> Result<(), BadStub>,
) {
    for (syntax, hex) in BOTH.into_iter().zip([ndr, ndr64]) {
        let mut writer = Writer::new(syntax);
        write(&mut writer);
        assert_eq!(writer.finish(), octets(hex), "{syntax:?}");
        let stub = octets(hex);
        let mut reader = Reader::new(&stub, syntax, ByteOrder::Little);
        read(&mut reader).unwrap();
        assert_eq!(reader.remaining(), 0, "{syntax:?}");
        for end in 0..stub.len() {
            let cut = &stub[..end];
            assert!(read(&mut Reader::new(cut, syntax, ByteOrder::Little)).is_err(), "{end}");
        }
    }
}

#[test]
fn a_string_and_a_uuid_after_a_handle() {
    golden(
        [
            "0000000011111111222233334444555555555555000002000900000000000000090000005c005c007300720076005c006c00700000000000923f85f631eb234eb6e7fd69056153f00000000001000000",
            "00000000111111112222333344445555555555550000000000000200000000000900000000000000000000000000000009000000000000005c005c007300720076005c006c00700000000000923f85f631eb234eb6e7fd69056153f00000000001000000",
        ],
        |w| {
            w.context_handle(&H).unique_wide_string(Some(r"\\srv\lp")).uuid(ASYNC_UI);
            w.u32(0).u32(1);
        },
        |r| {
            assert_eq!(r.context_handle()?, H);
            assert!(r.pointer()?);
            assert_eq!(r.wide_string(100)?, r"\\srv\lp");
            assert_eq!((r.uuid()?, r.u32()?, r.u32()?), (ASYNC_UI, 0, 1));
            Ok(())
        },
    );
}

#[test]
fn a_null_pointer() {
    golden(
        [
            "000000001111111122223333444455555555555500000000923f85f631eb234eb6e7fd69056153f00100000000000000",
            "0000000011111111222233334444555555555555000000000000000000000000923f85f631eb234eb6e7fd69056153f00100000000000000",
        ],
        |w| {
            w.context_handle(&H).unique_wide_string(None).uuid(ASYNC_UI).u32(1).u32(0);
        },
        |r| {
            assert_eq!(r.context_handle()?, H);
            assert!(!r.pointer()?);
            assert_eq!((r.uuid()?, r.u32()?, r.u32()?), (ASYNC_UI, 1, 0));
            Ok(())
        },
    );
}

#[test]
fn a_pointer_to_an_array_of_handles() {
    golden(
        [
            "02000000000002000200000000000000111111112222333344445555555555550000000066666666777788889999aaaaaaaaaaaa00000000",
            "02000000000000000000020000000000020000000000000000000000111111112222333344445555555555550000000066666666777788889999aaaaaaaaaaaa00000000",
        ],
        |w| {
            w.u32(2).pointer(true).count(2).context_handle(&H).context_handle(&K).u32(0);
        },
        |r| {
            assert_eq!(r.u32()?, 2);
            assert!(r.pointer()?);
            assert_eq!(r.conformance(20)?, 2);
            assert_eq!((r.context_handle()?, r.context_handle()?, r.u32()?), (H, K, 0));
            Ok(())
        },
    );
}

#[test]
fn pointers_to_a_uuid_and_to_bytes_in_a_request() {
    golden(
        [
            "0000000066666666777788889999aaaaaaaaaaaa00000200923f85f631eb234eb6e7fd69056153f0030000000400020003000000616263",
            "0000000066666666777788889999aaaaaaaaaaaa000000000000020000000000923f85f631eb234eb6e7fd69056153f0030000000000000004000200000000000300000000000000616263",
        ],
        |w| {
            w.context_handle(&K).unique_uuid(Some(ASYNC_UI)).u32(3).unique_bytes(Some(b"abc"));
        },
        |r| {
            assert_eq!((r.context_handle()?, r.unique_uuid()?), (K, Some(ASYNC_UI)));
            let size = r.u32()?;
            assert_eq!(r.unique_bytes(size)?, Some(&b"abc"[..]));
            Ok(())
        },
    );
}

#[test]
fn a_request_of_nulls() {
    golden(
        [
            "0000000066666666777788889999aaaaaaaaaaaa000000000000000000000000",
            "0000000066666666777788889999aaaaaaaaaaaa00000000000000000000000000000000000000000000000000000000",
        ],
        |w| {
            w.context_handle(&K).unique_uuid(None).u32(0).unique_bytes(None);
        },
        |r| {
            assert_eq!((r.context_handle()?, r.unique_uuid()?), (K, None));
            let size = r.u32()?;
            assert_eq!(r.unique_bytes(size)?, None);
            Ok(())
        },
    );
}

#[test]
fn bytes_and_a_status_after_them() {
    golden(
        [
            "00000200923f85f631eb234eb6e7fd69056153f00300000004000200030000006162630000000000",
            "0000020000000000923f85f631eb234eb6e7fd69056153f00300000000000000040002000000000003000000000000006162630000000000",
        ],
        |w| {
            w.unique_uuid(Some(ASYNC_UI)).u32(3).unique_bytes(Some(b"abc")).u32(0);
        },
        |r| {
            assert_eq!(r.unique_uuid()?, Some(ASYNC_UI));
            let size = r.u32()?;
            assert_eq!((r.unique_bytes(size)?, r.u32()?), (Some(&b"abc"[..]), 0));
            Ok(())
        },
    );
}

#[test]
fn a_lost_channel() {
    golden(
        [
            "00000000000000000000000000000000000000000000020027509aba0ea7e74a9b7deb3e06ad4157000000000000000000000000",
            "000000000000000000000000000000000000000000000000000002000000000027509aba0ea7e74a9b7deb3e06ad41570000000000000000000000000000000000000000",
        ],
        |w| {
            w.context_handle(&ContextHandle::NULL).unique_uuid(Some(RELEASE));
            w.u32(0).unique_bytes(None).u32(0);
        },
        |r| {
            assert!(r.context_handle()?.is_null());
            assert_eq!(r.unique_uuid()?, Some(RELEASE));
            let size = r.u32()?;
            assert_eq!((r.unique_bytes(size)?, r.u32()?), (None, 0));
            Ok(())
        },
    );
}

#[test]
fn big_endian_stubs_are_read() {
    let stub = octets(
        "00000000111111112222333344445555555555550102000001020304f6853f92eb314e23b6e7fd69056153f0",
    );
    let mut reader = Reader::new(&stub, Syntax::Ndr, ByteOrder::Big);
    assert_eq!(reader.context_handle(), Ok(H));
    assert_eq!((reader.u16(), reader.u32()), (Ok(0x0102), Ok(0x0102_0304)));
    assert_eq!(reader.uuid(), Ok(ASYNC_UI));
}

/// The checks of [MS-RPCE] 3.1.1.5.3.
#[test]
fn inconsistent_stubs() {
    let refused = |hex: &str, read: fn(&mut Reader<'_>) -> Result<(), BadStub>| {
        let stub = octets(hex);
        let error = read(&mut Reader::new(&stub, Syntax::Ndr, ByteOrder::Little)).unwrap_err();
        error.why
    };
    let data = |r: &mut Reader<'_>| r.u32().and_then(|size| r.unique_bytes(size)).map(drop);
    assert_eq!(refused("0200000000000000", data), "a null pointer cannot have a size");
    assert_eq!(
        refused("020000000000020003000000616263", data),
        "the array has not the size that was told"
    );
    assert_eq!(
        refused("ffffffff00000200ffffffff616263", data),
        "the array is longer than the stub"
    );
    let name = |r: &mut Reader<'_>| r.wide_string(3).map(drop);
    assert_eq!(
        refused("0200000001000000010000000000", name),
        "an array must begin with its first element"
    );
    assert_eq!(
        refused("01000000000000000200000061000000", name),
        "more elements than the array has room for"
    );
    assert_eq!(refused("02000000000000000200000061006100", name), "the string has no terminator");
    assert_eq!(refused("ffffffff0000000000000000", name), "the string has no terminator");
    assert_eq!(refused("0400000000000000040000006100610061000000", name), "the string is too long");
    let twice = |r: &mut Reader<'_>| r.full_pointer().and_then(|_| r.full_pointer()).map(drop);
    assert_eq!(refused("0100000001000000", twice), "two parameters cannot be the same");
}

#[test]
fn a_string_ends_at_its_first_zero() {
    let stub = octets("050000000000000004000000610000006200");
    let stub = [stub, vec![0, 0]].concat();
    let mut reader = Reader::new(&stub, Syntax::Ndr, ByteOrder::Little);
    assert_eq!(reader.wide_string(9).as_deref(), Ok("a"));
    assert_eq!(reader.remaining(), 0);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        small in any::<u8>(), short in any::<u16>(), long in any::<u32>(), hyper in any::<u64>(),
        uuid in any::<u128>(), wide in proptest::option::of("[^\0]{0,20}"), narrow in "[^\0]{0,20}",
        data in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
    ) {
        let uuid = Uuid::from_u128(uuid);
        for syntax in BOTH {
            let mut w = Writer::new(syntax);
            w.u8(small).u16(short).u8(small).u32(long).u8(small).u64(hyper).u8(small).uuid(uuid);
            w.unique_wide_string(wide.as_deref()).u8(small).narrow_string(&narrow);
            let size = u32::try_from(data.as_ref().map_or(0, Vec::len)).unwrap();
            w.u32(size).unique_bytes(data.as_deref()).unique_uuid(Some(uuid));
            let stub = w.finish();
            let mut r = Reader::new(&stub, syntax, ByteOrder::Little);
            prop_assert_eq!((r.u8()?, r.u16()?, r.u8()?, r.u32()?), (small, short, small, long));
            prop_assert_eq!((r.u8()?, r.u64()?, r.u8()?, r.uuid()?), (small, hyper, small, uuid));
            let read = if r.pointer()? { Some(r.wide_string(64)?) } else { None };
            prop_assert_eq!(&read, &wide);
            prop_assert_eq!((r.u8()?, r.narrow_string(128)?), (small, narrow.clone()));
            let size = r.u32()?;
            prop_assert_eq!(r.unique_bytes(size)?, data.as_deref());
            prop_assert_eq!((r.unique_uuid()?, r.remaining()), (Some(uuid), 0));
        }
    }
}

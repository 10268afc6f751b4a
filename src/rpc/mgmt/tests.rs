use super::*;
use crate::rpc::interface::asking::Asking;
use crate::rpc::ndr::{Reader, Syntax, Writer};
use crate::rpc::wire::ByteOrder;

const OURS: SyntaxId = SyntaxId::new(Uuid::from_u128(7), 1, 2);
const BOTH: [Syntax; 2] = [Syntax::Ndr, Syntax::Ndr64];

fn management() -> (Interface, Arc<Statistics>) {
    let statistics = Arc::new(Statistics::default());
    (interface(vec![OURS], vec![9, 10], "host/printsrv", statistics.clone()), statistics)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn golden_bytes_of_each_answer() {
    let (management, _) = management();
    let asking = Asking::new(&management, Syntax::Ndr);
    let answer = |opnum, stub: &[u8]| hex(&asking.ask(opnum, stub).unwrap());
    let ids = "00000200020000000200000004000200080002000000000000000000000000000000000701000200\
               80bda8af8a7dc911bef408002b1029890100000000000000";
    assert_eq!(answer(op::INQ_IF_IDS, b""), ids);
    assert_eq!(answer(op::IS_SERVER_LISTENING, b""), "0000000001000000");
    assert_eq!(answer(op::STOP_SERVER_LISTENING, b""), "05000000");
    assert_eq!(answer(op::INQ_STATS, &[0; 4]), "000000000000000000000000");
    let asked = [9, 0, 0, 0, 32, 0, 0, 0];
    let name = "20000000000000000e000000686f73742f7072696e74737276000000\
                00000000";
    assert_eq!(answer(op::INQ_PRINC_NAME, &asked), name);
}

#[test]
fn statistics_are_as_many_as_were_asked_for() {
    let (management, statistics) = management();
    statistics.received_call();
    (0..3).for_each(|_| statistics.received_pdu());
    statistics.sent_pdu();
    for (syntax, asked, expected) in
        BOTH.into_iter().flat_map(|syntax| [(syntax, 2u32, 2), (syntax, 4, 4), (syntax, 50, 4)])
    {
        let answer = Asking::new(&management, syntax).ask(op::INQ_STATS, &asked.to_le_bytes());
        let answer = answer.unwrap();
        let mut reader = Reader::new(&answer, syntax, ByteOrder::Little);
        assert_eq!(reader.u32(), Ok(expected));
        assert_eq!(reader.conformance(4), Ok(expected as usize));
        let counters: Vec<u32> = (0..expected).map(|_| reader.u32().unwrap()).collect();
        assert_eq!(counters, [1, 0, 3, 1][..expected as usize]);
        assert_eq!((reader.u32(), reader.remaining()), (Ok(0), 0));
    }
    let asking = Asking::new(&management, Syntax::Ndr);
    assert_eq!(asking.ask(op::INQ_STATS, &51u32.to_le_bytes()), Err(Status::BAD_STUB_DATA));
    assert_eq!(asking.ask(op::INQ_STATS, b"abc"), Err(Status::BAD_STUB_DATA));
}

#[test]
fn the_principal_is_told_for_a_service_that_we_have_where_it_fits() {
    let (management, _) = management();
    for (service, size, expected) in [
        (9u32, 14u32, Ok(("host/printsrv", 0))),
        (10, 4096, Ok(("host/printsrv", 0))),
        (9, 13, Ok(("", INSUFFICIENT_BUFFER))),
        (9, 1, Ok(("", INSUFFICIENT_BUFFER))),
        (16, 100, Ok(("", Status::UNKNOWN_AUTHN_SERVICE.0))),
        (9, 4097, Err(Status::BAD_STUB_DATA)),
    ] {
        for syntax in BOTH {
            let mut stub = Writer::new(syntax);
            stub.u32(service).u32(size);
            let answer = Asking::new(&management, syntax).ask(op::INQ_PRINC_NAME, &stub.finish());
            let read = answer.map(|answer| {
                let mut reader = Reader::new(&answer, syntax, ByteOrder::Little);
                let name = reader.narrow_string(4096).unwrap();
                let status = reader.u32().unwrap();
                assert_eq!(reader.remaining(), 0);
                (name, status)
            });
            let read = read.as_ref().map(|(name, status)| (name.as_str(), *status));
            assert_eq!(read, expected.as_ref().map(|it| *it), "{service} {size} {syntax:?}");
        }
    }
    // No room at all, not even for a terminator.
    let answer =
        Asking::new(&management, Syntax::Ndr).ask(op::INQ_PRINC_NAME, &[9, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(hex(&answer.unwrap()), "0000000000000000000000007a000000");
}

#[test]
fn unknown_operations() {
    let (management, _) = management();
    let asking = Asking::new(&management, Syntax::Ndr64);
    assert_eq!(asking.ask(op::COUNT, b""), Err(Status::OP_RANGE_ERROR));
}

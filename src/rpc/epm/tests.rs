use super::*;
use crate::rpc::interface::asking::Asking;
use crate::rpc::wire::ByteOrder;

const BOTH: [Syntax; 2] = [Syntax::Ndr, Syntax::Ndr64];

fn id(number: u128, major: u16, minor: u16) -> SyntaxId {
    SyntaxId::new(Uuid::from_u128(number), major, minor)
}

fn mapper(count: u16) -> Interface {
    let entry = |n: u16| Entry { interface: id(n.into(), 1, 0), annotation: "it", port: 1000 + n };
    interface((1..=count).map(entry).collect())
}

/// An answer: handle, annotations and towers (no annotations in one of `ept_map`), status.
#[derive(Debug, PartialEq)]
struct Found {
    handle: ContextHandle,
    annotations: Vec<String>,
    towers: Vec<Tower>,
    status: u32,
}

fn read(stub: &[u8], syntax: Syntax, has_entries: bool) -> Found {
    let mut reader = Reader::new(stub, syntax, ByteOrder::Little);
    let handle = reader.context_handle().unwrap();
    let count = reader.u32().unwrap();
    let room = reader.count().unwrap();
    assert_eq!(reader.variance(room, 4).unwrap(), count as usize);
    let mut annotations = Vec::new();
    for _ in 0..count {
        if has_entries {
            reader.align(syntax.word()).unwrap();
            assert_eq!(reader.uuid(), Ok(Uuid::NIL));
        }
        assert_eq!(reader.pointer(), Ok(true));
        if has_entries {
            let length = reader.variance(64, 1).unwrap();
            let (zero, text) = reader.bytes(length).unwrap().split_last().unwrap();
            assert_eq!(*zero, 0);
            annotations.push(String::from_utf8(text.to_vec()).unwrap());
        }
    }
    let towers = (0..count).map(|_| read_tower(&mut reader).unwrap().unwrap()).collect();
    let status = reader.u32().unwrap();
    assert_eq!(reader.remaining(), 0);
    Found { handle, annotations, towers, status }
}

struct Lookup {
    inquiry: u32,
    interface: Option<SyntaxId>,
    version: u32,
    handle: ContextHandle,
    max: u32,
}

const ALL: Lookup =
    Lookup { inquiry: 0, interface: None, version: 1, handle: ContextHandle::NULL, max: 10 };

fn lookup(asking: &Asking<'_>, what: &Lookup) -> Result<Found, Status> {
    let mut stub = Writer::new(asking.syntax);
    stub.u32(what.inquiry).pointer(false).pointer(what.interface.is_some());
    if let Some(id) = what.interface {
        stub.uuid(id.uuid).u16(id.major).u16(id.minor);
    }
    stub.u32(what.version).context_handle(&what.handle).u32(what.max);
    asking.ask(op::LOOKUP, &stub.finish()).map(|stub| read(&stub, asking.syntax, true))
}

fn map(asking: &Asking<'_>, tower: &[u8], max: u32) -> Result<Found, Status> {
    let mut stub = Writer::new(asking.syntax);
    stub.pointer(true).uuid(Uuid::NIL).pointer(true);
    stub.count(tower.len()).u32(tower.len() as u32).bytes(tower);
    stub.context_handle(&ContextHandle::NULL).u32(max);
    asking.ask(op::MAP, &stub.finish()).map(|stub| read(&stub, asking.syntax, false))
}

fn question(interface: SyntaxId, transfer: SyntaxId) -> Vec<u8> {
    Tower { interface, transfer, tcp: Some((Ipv4Addr::UNSPECIFIED, 0)) }.encode()
}

/// A full answer has a handle, a short one has none and is no failure, nothing is one.
#[test]
fn a_search_goes_on_until_an_answer_is_short() {
    for (count, sizes) in [(25, &[10, 10, 5][..]), (20, &[10, 10, 0]), (3, &[3]), (0, &[0])] {
        for syntax in BOTH {
            let mapper = mapper(count);
            let asking = Asking::new(&mapper, syntax);
            let (mut handle, mut ports) = (ContextHandle::NULL, Vec::new());
            for (n, size) in sizes.iter().enumerate() {
                let found = lookup(&asking, &Lookup { handle, ..ALL }).unwrap();
                assert_eq!(found.towers.len(), *size);
                assert_eq!(found.annotations, vec!["it"; *size]);
                assert_eq!(found.handle.is_null(), n + 1 == sizes.len());
                assert_eq!(found.status, if *size == 0 { NOT_REGISTERED } else { 0 });
                ports.extend(found.towers.iter().map(|tower| tower.tcp.unwrap().1));
                handle = found.handle;
            }
            assert_eq!(ports, (1001..=1000 + count).collect::<Vec<_>>());
            assert!(asking.handles.is_empty());
        }
    }
}

#[test]
fn a_search_can_be_ended() {
    let mapper = mapper(25);
    let asking = Asking::new(&mapper, Syntax::Ndr);
    let handle = lookup(&asking, &ALL).unwrap().handle;
    let free = |handle: &ContextHandle| {
        let mut stub = Writer::new(Syntax::Ndr);
        stub.context_handle(handle);
        asking.ask(op::LOOKUP_HANDLE_FREE, &stub.finish())
    };
    assert_eq!(free(&handle), Ok(vec![0; 24]));
    assert!(asking.handles.is_empty());
    assert_eq!(free(&handle), Err(Status::CONTEXT_MISMATCH));
    assert_eq!(lookup(&asking, &Lookup { handle, ..ALL }), Err(Status::CONTEXT_MISMATCH));
    assert_eq!(free(&ContextHandle::NULL), Ok(vec![0; 24]));
}

#[test]
fn versions_that_will_do() {
    let versions = [(1, 0), (1, 2), (2, 0), (2, 1), (3, 0)];
    let entry = |(major, minor)| Entry { interface: id(7, major, minor), annotation: "", port: 1 };
    let mapper = interface(versions.into_iter().map(entry).collect());
    let asking = Asking::new(&mapper, Syntax::Ndr64);
    for (inquiry, version, expected) in [
        (1, 1, &versions[..]),
        (1, 2, &[(2, 1)]),
        (1, 3, &[(2, 1)]),
        (3, 4, &[(2, 0), (2, 1)]),
        (1, 5, &[(1, 0), (1, 2), (2, 0), (2, 1)]),
        // Whatever the version: the interface is not looked at.
        (0, 3, &versions),
        (2, 3, &versions),
    ] {
        let interface = Some(id(7, 2, 1));
        let found = lookup(&asking, &Lookup { inquiry, interface, version, ..ALL }).unwrap();
        let got = found.towers.iter().map(|tower| (tower.interface.major, tower.interface.minor));
        assert_eq!(got.collect::<Vec<_>>(), expected, "{inquiry} {version}");
    }
}

#[test]
fn an_interface_is_found_where_it_is() {
    let mapper = mapper(3);
    for (syntax, transfer) in
        BOTH.into_iter().flat_map(|syntax| [(syntax, SyntaxId::NDR), (syntax, SyntaxId::NDR64)])
    {
        let asking = Asking::new(&mapper, syntax);
        let found = map(&asking, &question(id(2, 1, 0), transfer), 4).unwrap();
        let tcp = Some(([10, 0, 0, 5].into(), 1002));
        let towers = vec![Tower { interface: id(2, 1, 0), transfer, tcp }];
        let handle = ContextHandle::NULL;
        assert_eq!(found, Found { handle, annotations: vec![], towers, status: 0 });
        // As many as were asked for, and that was all.
        assert_eq!(map(&asking, &question(id(2, 1, 0), transfer), 1), Ok(found));
        assert!(asking.handles.is_empty());
    }
}

#[test]
fn what_is_not_found() {
    let mapper = mapper(3);
    let asking = Asking::new(&mapper, Syntax::Ndr);
    let good = question(id(2, 1, 0), SyntaxId::NDR);
    let mut pipe = good.clone();
    pipe[61] = 0x0f;
    let other = |interface, transfer| question(interface, transfer);
    let nothing = |status| {
        let handle = ContextHandle::NULL;
        Ok(Found { handle, annotations: vec![], towers: vec![], status })
    };
    for tower in [
        pipe,
        other(id(9, 1, 0), SyntaxId::NDR),
        other(id(2, 2, 0), SyntaxId::NDR),
        other(id(2, 1, 1), SyntaxId::NDR),
        other(id(2, 1, 0), SyntaxId::NONE),
    ] {
        assert_eq!(map(&asking, &tower, 4), nothing(NOT_REGISTERED));
    }
    assert_eq!(map(&asking, b"no tower", 4), nothing(Status::CANNOT_PERFORM.0));
    assert_eq!(map(&asking, &good, 0), nothing(NOT_REGISTERED));
}

#[test]
fn questions_that_are_refused() {
    let mapper = mapper(3);
    let asking = Asking::new(&mapper, Syntax::Ndr);
    let good = question(id(2, 1, 0), SyntaxId::NDR);
    assert_eq!(map(&asking, &good, 501), Err(Status::BAD_STUB_DATA));
    assert_eq!(map(&asking, &vec![0; TOWER_BYTES + 1], 1), Err(Status::BAD_STUB_DATA));
    assert_eq!(lookup(&asking, &Lookup { max: 501, ..ALL }), Err(Status::BAD_STUB_DATA));
    for opnum in [0, 1, 5, 6, 7] {
        assert_eq!(asking.ask(opnum, b""), Err(Status::OP_RANGE_ERROR));
    }
}

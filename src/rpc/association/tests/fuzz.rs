//! Whatever a client sends, in whatever pieces, and whatever the handlers do meanwhile: `cargo test fuzz_association` runs
//! it on random input, `cargo bolero test rpc::association::tests::fuzz::fuzz_association` fuzzes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bolero::check;
use proptest::prelude::*;

use super::client::*;
use super::*;
use crate::rpc::auth::{Level, WINNT};
use crate::rpc::interface::Delivery;
use crate::rpc::limits::OUTPUT_BYTES;
use crate::rpc::pdu::{Bind, BindAck, Proposal, Trailer};
use crate::rpc::uuid::SyntaxId;

/// What is done next: what, and with which octets.
type Step = (u8, Vec<u8>);

const BUDGET: usize = 100_000;

fn at(octets: &[u8], index: usize) -> u8 {
    octets.get(index).copied().unwrap_or_default()
}

/// A bind that may be good.
fn binding(octets: &[u8]) -> Vec<u8> {
    const SYNTAXES: [SyntaxId; 4] =
        [SyntaxId::NDR, SyntaxId::NDR64, SyntaxId::NONE, SyntaxId::asking_for(3)];
    let kind = if at(octets, 0).is_multiple_of(3) { Kind::AlterContext } else { Kind::Bind };
    let context = |octets: &[u8]| Proposal {
        id: u16::from(at(octets, 0) % 4),
        interface: if at(octets, 1).is_multiple_of(4) { SAFE } else { OPEN },
        transfers: vec![SYNTAXES[usize::from(at(octets, 2) % 4)]; usize::from(at(octets, 1) % 3)],
    };
    let contexts = octets.get(2..).unwrap_or_default().chunks(3).map(context).collect();
    let bytes = u16::from(at(octets, 1)) * 64;
    let binding = Bind { max_transmit: bytes, max_receive: bytes, group: 0, contexts };
    let trailer = (Trailer::new(WINNT, at(octets, 1) % 8, 1), octets.to_vec());
    let trailer = (at(octets, 0).is_multiple_of(5) && !octets.is_empty()).then_some(&trailer);
    bind(kind, Flags(at(octets, 1)), &binding, trailer)
}

/// The PDUs of a step; some change a good one in places.
fn pdus(client: &mut Client, (what, octets): &Step) -> Vec<u8> {
    let call_id = u32::from(at(octets, 0) % 8);
    // Long answers have a step of their own.
    let opnum =
        [op::ECHO, op::PARK, op::WORK, op::OPEN, op::USE, 99][usize::from(at(octets, 1) % 6)];
    let stub = octets.get(2..).unwrap_or_default();
    match what % 8 {
        0 => octets.clone(),
        1 => binding(octets),
        2 | 3 => client.request(call_id, opnum, stub),
        4 => client.fragment(Flags(at(octets, 2)), call_id, opnum, stub),
        5 if opnum.is_multiple_of(2) => bare(Kind::CoCancel, call_id),
        5 => bare(Kind::Orphaned, call_id),
        6 => client.request(call_id, op::MAKE, &[at(octets, 1), at(octets, 2) % 64, 0, 0]),
        _ => {
            let mut pdu = client.request(call_id, opnum, stub);
            for change in octets.chunks_exact(2) {
                let place = usize::from(change[0]) % pdu.len();
                pdu[place] ^= change[1];
            }
            pdu
        }
    }
}

/// What goes on at our end.
fn meanwhile(world: &World, client: &mut Client, (what, octets): &Step) {
    let name = at(octets, 0);
    match what % 5 {
        0 => {
            let reply = world.desk.unpark(name);
            reply.into_iter().for_each(|reply| reply.respond(vec![name; 3]));
        }
        1 => drop(world.desk.unpark(name)),
        2 => client.later(Duration::from_secs(u64::from(name))),
        3 => {
            client.association.collect(client.now);
            let count = client.association.output().len();
            assert!(count <= OUTPUT_BYTES + 6000);
            // Not what is whole only: the rest comes by `hear`, so that only whole PDUs are looked at.
            assert!(count > 0 || client.association.output().is_empty());
        }
        _ => {}
    }
}

/// Drives a connection, and holds that all that was begun has ended once it is gone.
fn drive(known: bool, steps: &[(Step, bool)]) {
    let world = World::with_budget(BUDGET);
    let mut client = if known { world.known(Level::Privacy) } else { world.connect() };
    let mut is_over = false;
    for (step, is_ours) in steps {
        if *is_ours {
            meanwhile(&world, &mut client, step);
            continue;
        }
        let octets = pdus(&mut client, step);
        let heard = client.send(octets);
        assert!(!is_over || heard.is_empty(), "{heard:?} after the end");
        is_over = client.association.is_over();
        assert!(!is_over || client.association.deadline().is_none());
    }
    drop(client);
    assert_eq!(world.desk.outstanding(), 0, "a call outlives its connection");
    let said = world.desk.said();
    let count = |word: &str| said.iter().filter(|said| said.contains(word)).count();
    let told = count(&format!("{:?}", Delivery::Written)) + count(&format!("{:?}", Delivery::Lost));
    let [opened, made] =
        [&world.desk.opened, &world.desk.made].map(|count| count.load(Ordering::Relaxed));
    assert_eq!((count("run down"), told), (opened, made));
    assert!(world.endpoint.budget.reserve().grow(BUDGET), "octets were not given back");
}

#[test]
fn fuzz_association() {
    check!().with_type::<(bool, Vec<(Step, bool)>)>().for_each(|(known, steps)| {
        drive(*known, steps);
    });
}

proptest! {
    /// It makes no difference in which pieces the octets come.
    #[test]
    fn pieces_make_no_difference(
        steps in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
        pieces in proptest::collection::vec(1usize..50, 0..100),
    ) {
        let world = World::new();
        let (mut whole, mut cut) = (world.bound(), world.bound());
        let octets: Vec<u8> = steps.iter().flat_map(|step| pdus(&mut whole, step)).collect();
        let expected = whole.send(octets.clone());
        let mut rest = octets.as_slice();
        let mut heard = Vec::new();
        for piece in pieces.into_iter().chain([octets.len()]) {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            heard.extend(cut.send(now.to_vec()));
            rest = later;
        }
        let no_group = |heard: Vec<Heard>| -> Vec<Heard> {
            heard.into_iter().map(|heard| match heard {
                Heard::Ack(flags, ack) => Heard::Ack(flags, BindAck { group: 0, ..ack }),
                // A handle is random.
                Heard::Response(call_id, stub) if stub.len() == 20 => Heard::Response(call_id, vec![]),
                other => other,
            }).collect()
        };
        prop_assert_eq!(no_group(heard), no_group(expected));
        prop_assert_eq!(cut.association.is_over(), whole.association.is_over());
    }
}

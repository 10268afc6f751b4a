//! Makes a call to an interface, for the tests of those that answer at once.

use std::sync::{Arc, Mutex};

use super::{Call, Caller, HandleTable, Interface, Outcome, Reply, Sink};
use crate::rpc::ndr::Syntax;
use crate::rpc::status::Status;
use crate::rpc::wire::ByteOrder;

#[derive(Default)]
struct Answer(Mutex<Option<Outcome>>);

impl Sink for Answer {
    fn completed(&self, _: u64, outcome: Outcome) {
        *self.0.lock().unwrap() = Some(outcome);
    }
}

/// A client of an interface, found by it at 10.0.0.5.
pub(in crate::rpc) struct Asking<'a> {
    pub(in crate::rpc) interface: &'a Interface,
    pub(in crate::rpc) syntax: Syntax,
    pub(in crate::rpc) handles: Arc<HandleTable>,
}

impl<'a> Asking<'a> {
    pub(in crate::rpc) fn new(interface: &'a Interface, syntax: Syntax) -> Self {
        Self { interface, syntax, handles: Arc::default() }
    }

    pub(in crate::rpc) fn ask(&self, opnum: u16, stub: &[u8]) -> Result<Vec<u8>, Status> {
        let answer = Arc::new(Answer::default());
        let (reply, _pending) = Reply::new(answer.clone(), 0);
        self.interface.handler.call(Call {
            opnum,
            object: None,
            syntax: self.syntax,
            order: ByteOrder::Little,
            stub: stub.to_vec().into(),
            caller: Caller {
                identity: None,
                level: None,
                group: 1,
                peer: ([10, 0, 0, 1], 40_000).into(),
                local: ([10, 0, 0, 5], 135).into(),
            },
            handles: self.handles.of(None),
            reply,
        });
        match answer.0.lock().unwrap().take() {
            Some(Outcome::Response(stub, _)) => Ok(stub.to_vec()),
            Some(Outcome::Fault { status, .. }) => Err(status),
            other => panic!("{other:?}"),
        }
    }
}

//! What the tests' clients talk to: an endpoint with two interfaces, and the desk behind both of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::accounts::{Account, Accounts, NtHash};
use crate::rpc::auth::{Level, Provider, providers};
use crate::rpc::endpoint::{Budget, Endpoint};
use crate::rpc::interface::{Call, Context, Delivery, Handler, Interface, Reply};
use crate::rpc::uuid::{SyntaxId, Uuid};
/// An interface for everybody …
pub(super) const OPEN: SyntaxId = SyntaxId::new(Uuid::from_u128(1), 1, 0);
/// … and one for those who are known, and send more.
pub(super) const SAFE: SyntaxId = SyntaxId::new(Uuid::from_u128(2), 1, 0);
/// Stub bytes of a request to it.
pub(super) const SAFE_BYTES: usize = 10 * 1024 * 1024 + 64;

/// What both of them do.
pub(super) mod op {
    pub(in super::super) const ECHO: u16 = 0;
    /// Parks; the first octet of the stub names the call.
    pub(in super::super) const PARK: u16 = 1;
    /// Likewise, without a hook.
    pub(in super::super) const WORK: u16 = 2;
    /// Gives a context handle.
    pub(in super::super) const OPEN: u16 = 3;
    /// Takes one.
    pub(in super::super) const USE: u16 = 4;
    /// Gives as many octets as a u32 says, and logs what becomes of them.
    pub(in super::super) const MAKE: u16 = 5;
    pub(super) const COUNT: u16 = 6;
}

/// What happened, in order.
pub(super) type Log = Arc<Mutex<Vec<String>>>;

/// The handler of both interfaces.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) parked: Mutex<HashMap<u8, Vec<Reply>>>,
    pub(super) log: Log,
    /// How many handles and tracked responses there were.
    pub(super) opened: AtomicUsize,
    pub(super) made: AtomicUsize,
}

struct Thing(Log);

impl Context for Thing {
    fn run_down(self: Arc<Self>) {
        self.0.lock().unwrap().push("run down".into());
    }
}

impl Handler for Desk {
    fn call(&self, call: Call) {
        let name = call.stub.first().copied().unwrap_or_default();
        let log = self.log.clone();
        match call.opnum {
            op::ECHO => call.answer(|call| Ok(call.stub.to_vec())),
            op::PARK => {
                call.reply.on_gone(move |why| log.lock().unwrap().push(format!("{name} {why:?}")));
                self.park(name, call.reply);
            }
            op::WORK => self.park(name, call.reply),
            op::OPEN => call.answer(|call| {
                let handle = call.handles.create(Arc::new(Thing(log.clone())))?;
                self.opened.fetch_add(1, Ordering::Relaxed);
                let mut results = call.writer();
                results.context_handle(&handle);
                Ok(results.finish())
            }),
            op::USE => call.answer(|call| {
                call.handles.lookup::<Thing>(&call.reader().context_handle()?)?;
                Ok(Vec::new())
            }),
            _ => {
                self.made.fetch_add(1, Ordering::Relaxed);
                let count = call.reader().u32().unwrap_or_default().min(1 << 20) as usize;
                let then =
                    move |delivery: Delivery| log.lock().unwrap().push(format!("{delivery:?}"));
                call.reply.respond_tracked(vec![7; count], then);
            }
        }
    }
}

impl Desk {
    /// Answers a call that waits.
    pub(super) fn answer(&self, name: u8) {
        self.unpark(name).unwrap().respond(vec![name; 3]);
    }

    fn park(&self, name: u8, reply: Reply) {
        self.parked.lock().unwrap().entry(name).or_default().push(reply);
    }

    /// Takes a call of this name out of those that wait.
    pub(super) fn unpark(&self, name: u8) -> Option<Reply> {
        self.parked.lock().unwrap().get_mut(&name)?.pop()
    }

    /// Calls that wait, and that somebody waits for.
    pub(super) fn outstanding(&self) -> usize {
        let parked = self.parked.lock().unwrap();
        parked.values().flatten().filter(|reply| !reply.is_gone()).count()
    }

    pub(super) fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

/// An endpoint and what serves it.
pub(super) struct World {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) desk: Arc<Desk>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_budget(usize::MAX / 2)
    }

    /// With so many octets for requests that are being put together.
    pub(super) fn with_budget(bytes: usize) -> Self {
        let desk = Arc::new(Desk::default());
        let open = Interface::new(OPEN, "open", op::COUNT, desk.clone());
        let safe = Interface {
            min_level: Some(Level::Packet),
            max_request_bytes: SAFE_BYTES,
            ..Interface::new(SAFE, "safe", op::COUNT, desk.clone())
        };
        let budget = Arc::new(Budget::new(bytes));
        let endpoint = Endpoint::new(vec![open, safe], known(), "host/test", budget);
        Self { endpoint: Arc::new(endpoint), desk }
    }
}

fn known() -> Vec<Arc<dyn Provider>> {
    let account = Account {
        name: "alice".into(),
        nt_hash: NtHash::of("secret"),
        admin: false,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    providers(&Arc::new(Accounts::in_memory("D", [account])), "D", "test")
}

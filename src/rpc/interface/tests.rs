use std::sync::Mutex;

use super::*;
use crate::rpc::ndr::ContextHandle;

#[derive(Default)]
struct Heard(Mutex<Vec<(u64, String)>>);

impl Sink for Heard {
    fn completed(&self, key: u64, outcome: Outcome) {
        let text = match outcome {
            Outcome::Response(stub, receipt) => {
                receipt.written();
                format!("{stub:?}")
            }
            Outcome::Fault { status, did_not_execute } => format!("{status} {did_not_execute}"),
            Outcome::Gone(why) => format!("{why:?}"),
        };
        self.0.lock().unwrap().push((key, text));
    }
}

fn call() -> (Arc<Heard>, Reply, Pending) {
    let heard = Arc::new(Heard::default());
    let (reply, pending) = Reply::new(heard.clone(), 7);
    (heard, reply, pending)
}

fn log<T: std::fmt::Debug + Send + 'static>() -> (Arc<Mutex<Vec<T>>>, impl FnOnce(T) + Send) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mine = log.clone();
    (log, move |what| mine.lock().unwrap().push(what))
}

fn said(heard: &Heard) -> Vec<String> {
    heard.0.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
}

#[test]
fn a_call_is_answered_once() {
    let (heard, reply, pending) = call();
    let (deliveries, then) = log();
    reply.on_gone(|why| panic!("answered, not {why:?}"));
    reply.respond_tracked(&b"ab"[..], then);
    assert_eq!(said(&heard), [r#"b"ab""#]);
    assert_eq!(*deliveries.lock().unwrap(), [Delivery::Written]);
    assert!(!pending.go(Gone::Disconnected));
}

#[test]
fn a_reply_dropped_unanswered_is_a_fault() {
    let (heard, reply, _pending) = call();
    drop(reply);
    assert_eq!(said(&heard), ["an unspecified fault (0x1C000012) false"]);
}

#[test]
fn a_parked_call_goes_and_its_late_answer_is_lost() {
    for why in [Gone::Canceled, Gone::Orphaned, Gone::Disconnected] {
        let (heard, reply, pending) = call();
        let ((hooks, hook), (deliveries, then)) = (log(), log());
        reply.on_gone(hook);
        assert!(pending.go(why) && reply.is_gone() && !pending.go(why));
        reply.respond_tracked(&b"ab"[..], then);
        assert_eq!((said(&heard).len(), hooks.lock().unwrap().as_slice()), (0, &[why][..]));
        assert_eq!(*deliveries.lock().unwrap(), [Delivery::Lost]);
    }
}

#[test]
fn a_call_at_work_is_not_canceled_but_gives_way_when_it_parks() {
    let (heard, reply, pending) = call();
    assert!(!pending.go(Gone::Canceled));
    reply.respond(&b"done"[..]);
    assert_eq!(said(&heard), [r#"b"done""#]);

    let (heard, reply, pending) = call();
    let (hooks, hook) = log();
    assert!(!pending.go(Gone::Canceled));
    reply.on_gone(hook);
    assert_eq!(*hooks.lock().unwrap(), [Gone::Canceled]);
    drop(reply);
    assert_eq!(said(&heard), ["Canceled"]);
}

#[test]
fn a_call_at_work_goes_with_its_connection() {
    let (heard, reply, pending) = call();
    let (hooks, hook) = log();
    assert!(pending.go(Gone::Disconnected));
    reply.on_gone(hook);
    reply.respond(&b"late"[..]);
    assert!(said(&heard).is_empty());
    assert_eq!(*hooks.lock().unwrap(), [Gone::Disconnected]);
}

#[test]
fn a_receipt_dropped_tells_that_the_response_was_lost() {
    struct Deaf;
    impl Sink for Deaf {
        fn completed(&self, _: u64, _: Outcome) {}
    }
    let (deliveries, then) = log();
    Reply::new(Arc::new(Deaf), 1).0.respond_tracked(&b""[..], then);
    assert_eq!(*deliveries.lock().unwrap(), [Delivery::Lost]);
}

struct Thing(Arc<Mutex<u32>>);
struct Other;

impl Context for Thing {
    fn run_down(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

impl Context for Other {
    fn run_down(self: Arc<Self>) {}
}

fn identity(name: &str) -> Option<Identity> {
    Some(Identity { id: name.into(), name: name.into(), admin: false })
}

#[test]
fn handles_have_a_kind_an_owner_and_an_end() {
    let table = Arc::new(HandleTable::new());
    let (mine, yours) = (table.of(identity("a")), table.of(identity("b")));
    let count = Arc::new(Mutex::new(0));
    let thing = mine.create(Arc::new(Thing(count.clone()))).unwrap();
    let kept = mine.create(Arc::new(Thing(count.clone()))).unwrap();
    assert!(thing != kept && !thing.is_null());
    assert!(mine.lookup::<Thing>(&thing).is_ok());
    assert_eq!(mine.lookup::<Other>(&thing).err(), Some(Status::CONTEXT_MISMATCH));
    assert_eq!(yours.lookup::<Thing>(&thing).err(), Some(Status::ACCESS_DENIED));
    assert_eq!(mine.lookup::<Thing>(&ContextHandle::NULL).err(), Some(Status::CONTEXT_MISMATCH));
    assert_eq!(yours.destroy::<Thing>(&thing).err(), Some(Status::ACCESS_DENIED));
    assert!(mine.destroy::<Thing>(&thing).is_ok());
    assert_eq!(mine.destroy::<Thing>(&thing).err(), Some(Status::CONTEXT_MISMATCH));
    table.run_down();
    table.run_down();
    assert_eq!(*count.lock().unwrap(), 1);
    assert_eq!(mine.lookup::<Thing>(&kept).err(), Some(Status::CONTEXT_MISMATCH));
    assert_eq!(mine.create(Arc::new(Other)).err(), Some(Status::CANCELED));
}

#[test]
fn a_group_has_so_many_handles_and_no_more() {
    let table = Arc::new(HandleTable::new());
    let handles = table.of(None);
    for _ in 0..crate::rpc::limits::HANDLES_PER_GROUP {
        handles.create(Arc::new(Other)).unwrap();
    }
    assert_eq!(handles.create(Arc::new(Other)).err(), Some(Status::SERVER_TOO_BUSY));
}

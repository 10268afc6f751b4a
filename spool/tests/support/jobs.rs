//! Jobs as a front end and a player make them.

use std::sync::mpsc;
use std::time::Duration;

use despool_spool::{Change, Error, JobId, Spool, Ticket, Writer};

/// The disk thread answers within this.
const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for the answer of an operation that is given its callback.
pub fn answered<T: Send + 'static>(ask: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> T {
    let (told, tell) = mpsc::channel();
    ask(Box::new(move |done| told.send(done).unwrap()));
    tell.recv_timeout(DEADLINE).unwrap()
}

/// Makes a document durable.
pub fn commit(writer: Writer) -> Result<(), Error> {
    answered(|then| writer.commit(then))
}

/// A job with this document, `expected_bytes` of it said before.
pub fn submit(spool: &Spool, document: &[u8], expected_bytes: Option<u64>) -> Result<JobId, Error> {
    let mut writer = spool.begin(Ticket::new("label"), expected_bytes)?;
    let id = writer.job();
    writer.append(document)?;
    commit(writer).map(|()| id)
}

/// Has a job begin and end.
pub fn finish(spool: &Spool, id: JobId, at_ms: u64) -> Result<(), Error> {
    spool.update(id, Change::Start { at_ms }, None)?;
    spool.update(id, Change::Complete { at_ms }, None).map(drop)
}

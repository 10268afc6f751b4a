//! A model of the spool: what was asked, what was acknowledged, and so what may be found after a crash.
//!
//! The journal is a prefix of what was appended, so the jobs found after a crash must be exactly those of *one* moment,
//! and that moment must not lie before the last acknowledgement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;

use despool_spool::store::Store;
use despool_spool::{
    Change, DocumentState, End, Error, Hold, JobId, Options, Played, Report, Shadow, Spool, State,
    Ticket,
};

/// All jobs at one moment.
pub type Moment = BTreeMap<JobId, (Shadow, Vec<u8>)>;

/// One thing done to a spool.
#[derive(Clone, Debug)]
pub enum Op {
    /// Begin, append in two parts, commit, wait.
    Submit {
        bytes: usize,
        announced: bool,
    },
    /// Begin, append, abort.
    Abort {
        bytes: usize,
        announced: bool,
    },
    /// Change a job (by its place among all), waiting for durability or not.
    Change {
        job: usize,
        change: Change,
        wait: bool,
    },
    /// Note offsets while a job is processing.
    Play {
        job: usize,
        accepted: u64,
        offered: u64,
    },
    /// Forget an ended job.
    Remove {
        job: usize,
    },
    Compact,
}

/// Drives a spool and the model side by side.
pub struct Driver {
    pub spool: Spool,
    moments: Vec<Moment>,
    acknowledged: usize,
    ids: Vec<JobId>,
    seed: u8,
}

pub fn options() -> Options {
    Options { min_free_bytes: 0, ..Options::default() }
}

pub fn open(store: &Arc<impl Store>) -> Result<(Spool, Report), Error> {
    Spool::open_on(store.clone(), options())
}

impl Driver {
    pub fn new(store: &Arc<impl Store>) -> Result<Self, Error> {
        let (spool, _) = open(store)?;
        Ok(Self { spool, moments: vec![Moment::new()], acknowledged: 0, ids: Vec::new(), seed: 0 })
    }

    /// Does one thing. After an error the model allows for both: it happened, or it did not.
    pub fn run(&mut self, op: &Op) -> Result<(), Error> {
        match op {
            Op::Submit { bytes, announced } => self.submit(*bytes, *announced, true),
            Op::Abort { bytes, announced } => self.submit(*bytes, *announced, false),
            Op::Change { job, change, wait } => self.change(*job, change, *wait),
            Op::Play { job, accepted, offered } => {
                self.play(*job, Played { accepted: *accepted, offered: *offered })
            }
            Op::Remove { job } => self.remove(*job),
            Op::Compact => self.spool.compact(),
        }
    }

    /// The job that was submitted last, as it was then.
    pub fn last_submitted(&self) -> (JobId, Vec<u8>) {
        let id = *self.ids.last().unwrap();
        (id, self.now()[&id].1.clone())
    }

    fn now(&self) -> Moment {
        self.moments.last().unwrap().clone()
    }

    fn may_be(&mut self, moment: Moment) {
        self.moments.push(moment);
    }

    fn acknowledge(&mut self) {
        self.acknowledged = self.moments.len() - 1;
    }

    fn submit(&mut self, bytes: usize, announced: bool, whole: bool) -> Result<(), Error> {
        self.seed = self.seed.wrapping_add(37);
        let document: Vec<u8> =
            (0..bytes).map(|n| (n as u8).wrapping_mul(31).wrapping_add(self.seed)).collect();
        let ticket = Ticket::new("label");
        let mut writer = self.spool.begin(ticket.clone(), announced.then_some(bytes as u64))?;
        let id = writer.job();
        assert!(self.ids.last() < Some(&id), "id {id} after {:?}", self.ids.last());
        self.ids.push(id);
        let mut shadow = Shadow::receiving(id, ticket);
        if announced {
            let mut moment = self.now();
            moment.insert(id, (shadow.clone(), Vec::new()));
            self.may_be(moment);
            writer.announce()?;
        }
        let (front, back) = document.split_at(bytes / 3);
        writer.append(front)?;
        // Every other one leaves its last bytes to the spool's own thread.
        let later = whole && id.number() % 2 == 0 && writer.is_small_with(back.len());
        let last = if later { back.to_vec() } else { Vec::new() };
        if !later {
            writer.append(back)?;
        }
        if !whole {
            if announced {
                let mut moment = self.now();
                moment
                    .get_mut(&id)
                    .unwrap()
                    .0
                    .apply(&Change::Abort { at_ms: 0, why: "".into() })?;
                self.may_be(moment);
            }
            writer.abort("no more");
            return Ok(());
        }
        shadow.document = DocumentState::Whole { bytes: bytes as u64, crc32c: crc32c(&document) };
        let mut moment = self.now();
        moment.insert(id, (shadow, document));
        self.may_be(moment);
        let (told, tell) = mpsc::channel();
        let then = move |done| told.send(done).unwrap();
        if later {
            writer.commit_small(last, then);
        } else {
            writer.commit(then);
        }
        tell.recv().expect("a commit is always answered")?;
        self.acknowledge();
        Ok(())
    }

    /// The job that `place` means, among all there are.
    fn job(&self, place: usize) -> Option<JobId> {
        let now = self.moments.last().unwrap();
        if now.is_empty() { None } else { now.keys().nth(place % now.len()).copied() }
    }

    fn change(&mut self, place: usize, change: &Change, wait: bool) -> Result<(), Error> {
        let Some(id) = self.job(place) else { return Ok(()) };
        let mut moment = self.now();
        if moment.get_mut(&id).unwrap().0.apply(change).is_err() {
            assert!(matches!(
                self.spool.update(id, change.clone(), None),
                Err(Error::WrongState { .. })
            ));
            return Ok(());
        }
        self.may_be(moment);
        if !wait {
            return self.spool.update(id, change.clone(), None).map(drop);
        }
        let (told, tell) = mpsc::channel();
        self.spool.update(
            id,
            change.clone(),
            Some(Box::new(move |done| told.send(done).unwrap())),
        )?;
        tell.recv().expect("a change is always answered")?;
        self.acknowledge();
        Ok(())
    }

    fn play(&mut self, place: usize, played: Played) -> Result<(), Error> {
        let Some(id) = self.job(place) else { return Ok(()) };
        let mut moment = self.now();
        let shadow = &mut moment.get_mut(&id).unwrap().0;
        if shadow.state != State::Processing {
            return Ok(());
        }
        shadow.played = played;
        self.may_be(moment);
        self.spool.progress(id)?.note(played)
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        let Some(id) = self.job(place) else { return Ok(()) };
        let mut moment = self.now();
        if moment[&id].0.state.ended_ms().is_none() {
            assert!(matches!(self.spool.remove(id), Err(Error::WrongState { .. })));
            return Ok(());
        }
        moment.remove(&id);
        self.may_be(moment);
        self.spool.remove(id)
    }

    /// A crash that leaves what was written, or only what was synced: what may the journal hold?
    pub fn check(&self, found: &Spool, report: &Report, all_written: bool, context: &str) {
        let jobs = moment_of(found);
        let from = if all_written {
            self.moments.len().saturating_sub(3).max(self.acknowledged)
        } else {
            self.acknowledged
        };
        let fits = self.moments[from..].iter().any(|moment| settled(moment) == jobs);
        assert!(
            fits,
            "{context}\nfound {}\nexpected one of {}\nreport {report:?}",
            brief(&jobs),
            self.moments[from..]
                .iter()
                .map(|moment| brief(&settled(moment)))
                .collect::<Vec<_>>()
                .join("\n  or ")
        );
        check_indices(found);
        let next = found.begin(Ticket::new("label"), None).unwrap().job();
        let last = self.ids.iter().max();
        assert!(Some(&next) > last, "{context}: id {next} was given out before ({last:?})");
    }
}

/// What the spool finds by its indices is what looking at every job finds.
pub fn check_indices(spool: &Spool) {
    let jobs = spool.jobs();
    let ids = |jobs: Vec<Arc<Shadow>>| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    let (mut ended, mut live): (Vec<_>, Vec<_>) =
        jobs.iter().cloned().partition(|job| job.state.ended_ms().is_some());
    live.sort_by_key(|job| match job.state {
        State::Processing => (0, 0, job.id),
        // The device stands in the middle of it.
        _ if job.played.accepted > 0 => (1, u8::MAX - job.ticket.priority, job.id),
        _ => (2, u8::MAX - job.ticket.priority, job.id),
    });
    ended.sort_by_key(|job| (job.state.ended_ms(), job.id));
    ended.reverse();
    assert_eq!(ids(spool.live_jobs(usize::MAX, |_| true)), ids(live.clone()));
    assert_eq!(ids(spool.ended_jobs(usize::MAX, |_| true)), ids(ended));
    let even = |job: &Shadow| job.id.number().is_multiple_of(2);
    let first = live.iter().filter(|job| even(job)).take(2).cloned().collect();
    assert_eq!(ids(spool.live_jobs(2, even)), ids(first));
    let due = |job: &&Arc<Shadow>| match (&job.state, job.ticket.hold) {
        (State::Held { .. }, Hold::Until(ms)) => Some((ms, job.id)),
        _ => None,
    };
    let mut timed: Vec<_> = jobs.iter().filter_map(|job| due(&job)).collect();
    timed.sort_unstable();
    assert_eq!(spool.next_due_ms(), timed.first().map(|(ms, _)| *ms));
    let now_ms = timed.get(timed.len() / 2).map_or(0, |(ms, _)| *ms);
    let now_due = timed.iter().filter(|(ms, _)| *ms <= now_ms).map(|(_, id)| *id);
    assert_eq!(ids(spool.due_jobs(now_ms)), now_due.collect::<Vec<_>>());
}

/// Jobs and documents as a spool shows them.
pub fn moment_of(spool: &Spool) -> Moment {
    let read = |shadow: Arc<Shadow>| {
        let shadow = Shadow::clone(&shadow);
        let document =
            if shadow.has_document() { read_document(spool, shadow.id) } else { Vec::new() };
        (shadow.id, (timeless(shadow), document))
    };
    spool.jobs().into_iter().map(read).collect()
}

pub fn read_document(spool: &Spool, id: JobId) -> Vec<u8> {
    let document = spool.document(id).unwrap();
    assert_eq!(document.extent().end, End::Whole);
    let mut out = Vec::new();
    while let Some(bytes) = document.read(out.len() as u64, 1000).unwrap() {
        out.extend(bytes.lend());
    }
    out
}

/// What a recovery makes of a moment: documents that were not whole are given up.
fn settled(moment: &Moment) -> Moment {
    let settle = |(id, (shadow, document)): (&JobId, &(Shadow, Vec<u8>))| {
        let mut shadow = shadow.clone();
        if shadow.document == DocumentState::Receiving && shadow.state.ended_ms().is_none() {
            shadow.state = State::Aborted { at_ms: 0, why: "".into() };
        }
        (*id, (timeless(shadow), document.clone()))
    };
    moment.iter().map(settle).collect()
}

/// Times and reasons differ from run to run.
fn timeless(mut shadow: Shadow) -> Shadow {
    if let State::Aborted { at_ms, why } = &mut shadow.state {
        (*at_ms, *why) = (0, "".into());
    }
    shadow
}

pub fn brief(moment: &Moment) -> String {
    let one = |(id, (shadow, document)): (&JobId, &(Shadow, Vec<u8>))| {
        format!("{id}:{}:{:?}:{}", shadow.state.name(), shadow.played, document.len())
    };
    moment.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn crc32c(bytes: &[u8]) -> u32 {
    // Bit by bit, so that the crate's checksum is checked against another one.
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
        }
    }
    !crc
}

//! A port's thread, told what to do step by step. The wire is a FIFO: it keeps the order of all that was written.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use actix::prelude::*;
use despool_spool::{Change, JobId, Options, Spool, Ticket};
use tokio::sync::mpsc;

use super::lane::{Begin, How, Order, PortEvent, PortThread, Urgent};
use crate::monitor::PlayId;
use crate::piece::Piece;

const DEADLINE: Duration = Duration::from_secs(30);

/// Hears what the thread tells.
struct Ear(mpsc::UnboundedSender<PortEvent>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<PortEvent> for Ear {
    type Result = ();

    fn handle(&mut self, event: PortEvent, _: &mut Self::Context) {
        let _ = self.0.send(event);
    }
}

/// A port's thread, what it tells, and the far end of its wire.
struct Bench {
    spool: Spool,
    thread: PortThread,
    events: mpsc::UnboundedReceiver<PortEvent>,
    far_end: File,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let far_end = fifo(&dir.path().join("wire"));
        let options = Options { min_free_bytes: 0, ..Options::default() };
        let (spool, _) = Spool::open(&dir.path().join("spool"), options).unwrap();
        let uri = format!("file:{}", dir.path().join("wire").display());
        let thread = PortThread::start(uri.parse().unwrap()).unwrap();
        let (told, events) = mpsc::unbounded_channel();
        thread.listen(Ear(told).start().recipient());
        let mut bench = Self { spool, thread, events, far_end, _dir: dir };
        bench.wait_for(|event| matches!(event, PortEvent::Opened { .. })).await;
        bench
    }

    async fn wait_for(&mut self, wanted: impl Fn(&PortEvent) -> bool) -> PortEvent {
        let next = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(DEADLINE, next).await.expect("the thread says nothing")
    }

    /// Returns when the thread has done all that it was told before.
    async fn settled(&mut self) {
        for _ in 0..2 {
            self.thread.urge(Urgent::Report);
            self.wait_for(|event| matches!(event, PortEvent::Opened { .. })).await;
        }
    }

    /// A job that is being played.
    fn job(&self) -> JobId {
        let writer = self.spool.begin(Ticket::new("label"), None).unwrap();
        let (job, told) = (writer.job(), std::sync::mpsc::channel());
        writer.commit(move |done| told.0.send(done).unwrap());
        told.1.recv_timeout(DEADLINE).unwrap().unwrap();
        self.spool.update(job, Change::Start { at_ms: 1 }, None).unwrap();
        job
    }

    fn order(&self, order: Order) {
        assert!(self.thread.order(order));
        self.thread.ring();
    }

    fn begin(&self, job: JobId, from: u64) -> PlayId {
        let (play, progress) = (PlayId::fresh(), self.spool.progress(job).unwrap());
        self.order(Order::Begin(Begin { play, job, from, progress }));
        play
    }

    fn write(&self, play: impl Into<Option<PlayId>>, bytes: &[u8]) {
        let (play, bytes) = (play.into(), bytes.to_vec());
        let piece = if play.is_some() { Piece::inline(bytes) } else { Piece::monitor(bytes) };
        self.order(Order::Write { play, piece });
    }

    async fn abort(&mut self, play: PlayId, how: How) -> Option<u64> {
        assert!(self.thread.urge(Urgent::Abort { play, how }));
        let aside =
            |event: &PortEvent| matches!(event, PortEvent::Stalled(_) | PortEvent::Opened { .. });
        let aborted = self.wait_for(|event| !aside(event)).await;
        match aborted {
            PortEvent::Aborted { stopped, .. } => stopped.map(|stopped| stopped.played.accepted),
            other => panic!("{other:?}"),
        }
    }

    async fn end(&mut self, play: PlayId) {
        self.order(Order::End(play));
        while let Ok(event) = self.events.try_recv() {
            assert!(matches!(event, PortEvent::Room(_)), "{event:?}");
        }
    }

    /// Reads until `last` has come.
    async fn read_to(&self, last: &[u8]) -> Vec<u8> {
        let (mut far_end, last) = (self.far_end.try_clone().unwrap(), last.to_vec());
        let read = move || {
            let mut got = Vec::new();
            let mut buf = [0; 4096];
            let until = Instant::now() + DEADLINE;
            while !got.ends_with(&last) {
                assert!(
                    Instant::now() < until,
                    "{:?} did not come",
                    String::from_utf8_lossy(&last)
                );
                let mut fds = [rustix::event::PollFd::new(&far_end, rustix::event::PollFlags::IN)];
                rustix::event::poll(
                    &mut fds,
                    Some(&rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 }),
                )
                .unwrap();
                got.extend(far_end.read(&mut buf).map_or(&[][..], |read| &buf[..read]));
            }
            got
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }
}

fn fifo(path: &PathBuf) -> File {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    File::options().read(true).custom_flags(flags).open::<&Path>(path).unwrap()
}

#[actix::test]
async fn nothing_is_said_in_the_middle_of_a_job_that_will_go_on() {
    let mut bench = Bench::new().await;
    let job = bench.job();
    let play = bench.begin(job, 0);
    bench.write(play, b"first half, ");
    bench.wait_for(|event| matches!(event, PortEvent::Room(_))).await;
    assert_eq!(bench.abort(play, How::Park).await, Some(12));
    bench.write(None, b"[how are you?]");
    bench.settled().await;
    let play = bench.begin(job, 12);
    bench.write(play, b"second half");
    bench.end(play).await;
    assert_eq!(bench.read_to(b"?]").await, b"first half, second half[how are you?]");
}

#[actix::test]
async fn what_is_said_before_a_job_goes_out_before_it() {
    let mut bench = Bench::new().await;
    let first = bench.job();
    let play = bench.begin(first, 0);
    // More than the wire holds.
    bench.write(play, &vec![b'x'; 1 << 20]);
    bench.wait_for(|event| matches!(event, PortEvent::Stalled(true))).await;
    let out = bench.abort(play, How::Cancel).await.unwrap() as usize;
    bench.write(None, b"[come to your senses]");
    let next = bench.job();
    let play = bench.begin(next, 0);
    bench.write(play, b"next.");
    bench.end(play).await;
    let got = bench.read_to(b"next.").await;
    let rest = got.iter().position(|byte| *byte != b'x').unwrap();
    assert_eq!(got[rest..], *b"[come to your senses]next.");
    assert!(rest >= out, "{rest} came, {out} were accepted");
}

#[actix::test]
async fn what_was_half_said_is_said_whole_whatever_becomes_of_the_job_behind_it() {
    let mut bench = Bench::new().await;
    // More than the wire holds.
    let said = vec![b'?'; 1 << 18];
    bench.write(None, &said);
    bench.settled().await;
    let job = bench.job();
    let play = bench.begin(job, 0);
    bench.write(play, b"taken back. ");
    bench.settled().await;
    assert_eq!(bench.abort(play, How::Park).await, Some(0));
    let play = bench.begin(job, 0);
    bench.write(play, b"a job.");
    bench.end(play).await;
    assert!(bench.read_to(b"job.").await == [&said[..], b"a job."].concat());
}

#[actix::test]
async fn a_job_that_has_ended_already_is_only_aborted() {
    let mut bench = Bench::new().await;
    let job = bench.job();
    let play = bench.begin(job, 0);
    bench.write(play, &vec![b'x'; 1 << 20]);
    bench.wait_for(|event| matches!(event, PortEvent::Stalled(true))).await;
    let cancel = Change::Cancel { at_ms: 1, why: "by a test".into() };
    bench.spool.update(job, cancel, None).unwrap();
    // Room for more, which must not be used.
    let mut taken = vec![0; 65_536];
    let taken = bench.far_end.read(&mut taken).unwrap();
    assert!(taken > 0);
    bench.settled().await;
    let accepted = bench.abort(play, How::Cancel).await.unwrap();
    assert!(accepted < 1 << 20);
}

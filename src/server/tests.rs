//! The road end to end, in one process: what survives the death of any of its actors.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use despool_hw::sim::{Keep, Language, Model, ModelOptions, PtyPrinter, SimHandle};
use despool_spool::{JobId, Shadow, State, Ticket};
use tokio::sync::watch;

use super::*;
use crate::follow::follow;
use crate::monitor::language::LanguageMonitor;
use crate::monitor::port::PortMonitor;
use crate::processor::PrintProcessor;
use crate::provider::{ControlJob, JobControl, JobState, StartDocPrinter};
use crate::supervise::Crash;

mod broken_off;
mod deaths;
mod network;
mod reload;
mod waiting;

const DEADLINE: Duration = Duration::from_secs(30);

fn soon() -> Instant {
    Instant::now() + DEADLINE
}

/// A simulated printer behind a pty.
fn printer(language: Language) -> PtyPrinter {
    let options = ModelOptions {
        keep: Keep::Memory { limit_bytes: 64 << 20 },
        buffer_bytes: 4096,
        ..ModelOptions::default()
    };
    PtyPrinter::start(Model::new(language, options, Instant::now())).unwrap()
}

struct Rig {
    server: Server,
    dir: tempfile::TempDir,
}

/// Printers: name, port, more settings.
type Printers<'a> = [(&'a str, String, &'a str)];

/// A server with these printers.
fn rig(printers: &Printers<'_>) -> Rig {
    let log = tracing_subscriber::fmt().with_test_writer().with_env_filter("warn,despool=debug");
    let _ = log.try_init();
    let dir = tempfile::tempdir().unwrap();
    Rig { server: Server::start(config(dir.path(), printers)).unwrap(), dir }
}

fn config(state_dir: &Path, printers: &Printers<'_>) -> Config {
    let mut text =
        format!("[server]\nstate_dir = \"{}\"\n[spool]\nmin_free_bytes = 0\n", state_dir.display());
    for (name, port, more) in printers {
        text += &format!("[[printer]]\nname = \"{name}\"\nport = \"{port}\"\n{more}\n");
    }
    Config::parse(Path::new("test.toml"), &text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn serial(printer: &PtyPrinter) -> String {
    format!("serial:{}", printer.path().display())
}

type Watched = watch::Receiver<Option<JobState>>;

impl Rig {
    async fn submit(&self, printer: &str, document: &[u8]) -> (JobId, Watched) {
        let (follower, following) = follow();
        let mut ticket = Ticket::new(printer);
        ticket.datatype = "".into();
        let start = StartDocPrinter {
            ticket,
            expected_bytes: None,
            announce: false,
            follower: Some(follower),
        };
        let mut submission = self.server.router.ask(start).await.unwrap().unwrap();
        for part in document.chunks(100_000) {
            submission.append(Bytes::copy_from_slice(part)).await.unwrap();
        }
        (submission.finish().await.unwrap(), following.state)
    }

    async fn wait_for(&self, job: JobId, state: &mut Watched, wanted: JobState) {
        let reached = state.wait_for(|state| *state == Some(wanted));
        let reached = tokio::time::timeout(DEADLINE, reached).await;
        // A job that has ended is followed no more.
        if !matches!(reached, Ok(Ok(_))) {
            let view =
                self.server.router.ask(crate::provider::Job { id: job }).await.unwrap().unwrap();
            assert_eq!(view.state, wanted, "{view:?}");
        }
    }

    fn shadow(&self, job: JobId) -> Shadow {
        Shadow::clone(&self.server.spool.job(job).unwrap())
    }

    async fn control(&self, id: JobId, what: JobControl) {
        self.server.router.ask(ControlJob { id, what }).await.unwrap().unwrap();
    }
}

fn document(bytes: usize) -> Vec<u8> {
    (0..bytes as u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(bytes)
        .collect()
}

async fn until(
    sim: &SimHandle,
    wanted: impl Fn(&despool_hw::sim::Snapshot) -> bool + Send + 'static,
) {
    let sim = sim.clone();
    let reached =
        tokio::task::spawn_blocking(move || (sim.wait_for(wanted, soon()), sim.snapshot()))
            .await
            .unwrap();
    assert!(reached.0, "{:?}", reached.1);
}

#[actix::test]
async fn every_byte_arrives_through_all_five_actors() {
    let device = printer(Language::Pjl);
    let rig = rig(&[("laser", serial(&device), "language = \"pjl\"")]);
    for bytes in [0, 1, 65_536, 3_000_001] {
        device.handle().command("reset");
        let sent = document(bytes);
        let (job, mut state) = rig.submit("laser", &sent).await;
        rig.wait_for(job, &mut state, JobState::Completed).await;
        until(device.handle(), move |snapshot| snapshot.bytes == bytes as u64).await;
        assert!(device.handle().take_kept() == sent, "{bytes} bytes");
        assert_eq!(rig.shadow(job).played.accepted, bytes as u64);
    }
    rig.server.stop().await;
}

/// The names of all actors between a client and a wire.
const ACTORS: [&str; 6] = ["router", "provider", "processor", "language", "port", "thread"];

impl Rig {
    /// Kills one actor of a printer.
    async fn crash(&self, actor: &str, printer: &str) {
        let road = &self.server.parts;
        let (processor, language, port): (
            Live<PrintProcessor>,
            Option<Live<LanguageMonitor>>,
            Live<PortMonitor>,
        ) = road.parts_for_tests(printer);
        let died = match actor {
            "router" => self.server.router.ask(Crash).await,
            "provider" => self.server.provider.ask(Crash).await,
            "processor" => processor.ask(Crash).await,
            "language" => language.unwrap().ask(Crash).await,
            "port" => port.ask(Crash).await,
            "thread" => {
                port.ask(crate::monitor::port::CrashThread).await.unwrap();
                return;
            }
            other => panic!("{other}"),
        };
        assert!(died.is_err(), "{actor} survived");
    }
}

#[actix::test]
async fn the_death_of_any_actor_in_mid_job_loses_nothing_and_disturbs_nobody() {
    for actor in ACTORS {
        let (device, other) = (printer(Language::Pjl), printer(Language::Plain));
        let rig =
            rig(&[("laser", serial(&device), "language = \"pjl\""), ("other", serial(&other), "")]);
        let (sent, sent_other) = (document(2_000_000), document(1_500_000));
        device.handle().command("stall on");
        other.handle().command("stall on");
        let (job, mut state) = rig.submit("laser", &sent).await;
        let (job_other, mut state_other) = rig.submit("other", &sent_other).await;
        let (next, mut state_next) = rig.submit("laser", b"the next job").await;
        rig.wait_for(job, &mut state, JobState::Processing).await;
        rig.wait_for(job_other, &mut state_other, JobState::Processing).await;
        device.handle().command("stall off");
        until(device.handle(), |snapshot| snapshot.bytes > 100_000).await;

        rig.crash(actor, "laser").await;

        other.handle().command("stall off");
        let all = (sent.len() + "the next job".len()) as u64;
        until(device.handle(), move |snapshot| snapshot.bytes >= all).await;
        rig.wait_for(job, &mut state, JobState::Completed).await;
        rig.wait_for(next, &mut state_next, JobState::Completed).await;
        rig.wait_for(job_other, &mut state_other, JobState::Completed).await;
        let all_other = sent_other.len() as u64;
        until(other.handle(), move |snapshot| snapshot.bytes >= all_other).await;
        let mut expected = sent.clone();
        expected.extend(b"the next job");
        assert!(device.handle().take_kept() == expected, "{actor}: the bytes differ");
        assert!(
            other.handle().take_kept() == sent_other,
            "{actor}: the other printer was disturbed"
        );
        rig.server.stop().await;
    }
}

#[actix::test]
async fn a_canceled_job_stops_at_once_also_on_a_dead_device() {
    let device = printer(Language::Plain);
    let rig = rig(&[("label", serial(&device), "")]);
    device.handle().command("stall on");
    let (job, mut state) = rig.submit("label", &document(1_000_000)).await;
    let (next, mut state_next) = rig.submit("label", b"next").await;
    rig.wait_for(job, &mut state, JobState::Processing).await;
    rig.control(job, JobControl::Cancel { why: "by a test".into() }).await;
    assert!(matches!(rig.shadow(job).state, State::Canceled { .. }));
    rig.wait_for(next, &mut state_next, JobState::Processing).await;
    device.handle().command("stall off");
    rig.wait_for(next, &mut state_next, JobState::Completed).await;
    let (mut printed, mut bytes) = (device.handle().take_kept(), 0);
    while !printed.ends_with(b"next") {
        until(device.handle(), move |snapshot| snapshot.bytes > bytes).await;
        bytes = device.handle().snapshot().bytes;
        printed.extend(device.handle().take_kept());
    }
    rig.server.stop().await;
}

#[actix::test]
async fn a_printer_that_comes_later_prints_what_waited_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("printer");
    let rig = rig(&[("label", format!("serial:{}", link.display()), "")]);
    let (job, mut state) = rig.submit("label", b"waited").await;
    rig.wait_for(job, &mut state, JobState::Pending).await;
    let options =
        ModelOptions { keep: Keep::Memory { limit_bytes: 1 << 20 }, ..ModelOptions::default() };
    let device =
        PtyPrinter::start_at(Model::new(Language::Plain, options, Instant::now()), &link).unwrap();
    rig.wait_for(job, &mut state, JobState::Completed).await;
    until(device.handle(), |snapshot| snapshot.bytes == 6).await;
    assert_eq!(device.handle().take_kept(), b"waited");
    rig.server.stop().await;
}

#[actix::test]
async fn raw_tcp_in_raw_tcp_out() {
    use std::io::{Read, Write};
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("socket://{}", sink.local_addr().unwrap());
    let rig = rig(&[("net", port, "appsocket = \"127.0.0.1:0\"")]);
    let address = rig.server.address("appsocket net").unwrap();
    let sent = document(777_777);
    let to_send = sent.clone();
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&to_send).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    });
    let printed = tokio::task::spawn_blocking(move || {
        let (mut stream, _) = sink.accept().unwrap();
        let mut printed = Vec::new();
        stream.read_to_end(&mut printed).unwrap();
        printed
    });
    assert!(printed.await.unwrap() == sent);
    assert_eq!(client.await.unwrap(), b"");
    rig.server.stop().await;
}

//! Crash proof: a server under load is killed with SIGKILL at random moments, many times, and started again on the same
//! spool. Whatever it acknowledged is printed exactly once, or held by its printer's policy; no number is used again; the
//! order is kept. Bounded: so many kills, so many jobs each.
//!
//! Each document begins with a byte that is nowhere else in it, and with its own number. So what a printer got falls into
//! pieces, each of which is (the beginning of) one document, and what became of each document can be counted.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use despool::frontend::ipp::wire::{GroupTag, Limits, Message, Operation, decode, encode};
use despool_hw::sim::{Language, PtyPrinter};
use support::ipp::{Ipp, Names, id_of, job_id, reasons_of, state_of};
use support::server::{Server, serve};
use support::sink::Sink;
use support::site::{Setup, Site};
use support::{PATIENCE, Random, document, tiers, wires};

const KILLS: u64 = 100;

/// Some kills come before the server is ready: one in so many.
const EARLY: u64 = 6;

const SENDERS: u64 = 4;

/// Jobs of one sender between two kills, at most.
const JOBS: u64 = 8;

/// A document is no longer than this.
const LONGEST: u64 = 150_000;

/// The longest life of a server, from when it is ready.
const LIFE: Duration = Duration::from_millis(400);

/// Begins each document.
const MARK: u8 = 1;

/// The mark and the number.
const HEAD: usize = 9;

fn content(number: u32) -> Vec<u8> {
    let mut random = Random::new(u64::from(number));
    let length = random.below(LONGEST) as usize;
    let body = document(u64::from(number), length).into_iter();
    let body = body.map(|byte| if byte == MARK { MARK + 1 } else { byte });
    let mut all = vec![MARK];
    all.extend(format!("{number:08x}").into_bytes());
    all.extend(body);
    all
}

fn number_of(document: &[u8]) -> Option<u32> {
    let digits = document.get(1..HEAD)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

enum Wire {
    Tty(PtyPrinter),
    Tcp(Sink),
}

struct Printer {
    name: String,
    /// A job that was cut off may be printed from its beginning again.
    restarts: bool,
    wire: Wire,
}

/// Two kinds of printers for each policy that leaves no byte to chance.
fn printers(site: &Site) -> Vec<Printer> {
    let (mut setup, mut printers) = (Setup::new().spool("keep_jobs = 100000"), Vec::new());
    for policy in ["auto", "hold", "restart"] {
        let tty = wires::tty(Language::Plain, &site.path(policy));
        wires::tell(tty.handle(), "speed 400000");
        for wire in [Wire::Tty(tty), Wire::Tcp(Sink::start())] {
            let (kind, uri) = match &wire {
                Wire::Tty(tty) => ("tty", wires::uri(tty)),
                Wire::Tcp(sink) => ("tcp", sink.uri()),
            };
            let name = format!("{kind}-{policy}");
            let lines = format!("recover = \"{policy}\"; appsocket = \"127.0.0.1:0\"");
            setup = setup.printer(&name, &uri, &lines);
            let restarts = policy == "restart" || (policy, kind) == ("auto", "tcp");
            printers.push(Printer { name, restarts, wire });
        }
    }
    site.configure(&setup);
    printers
}

/// A job whose acceptance its sender has heard of.
struct Accepted {
    number: u32,
    printer: String,
    id: Option<i32>,
    begun: Instant,
    at: Instant,
}

/// Asks by IPP; fails where the server dies meanwhile.
fn ask(address: SocketAddr, request: &Message, document: &[u8]) -> io::Result<Message> {
    let message = encode(request).unwrap();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = message.len() + document.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/ipp\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &message, document].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
    let answer = decode(&answer[end + 4..], Limits::RESPONSE).map_err(|_| cut())?.message;
    assert!(answer.status().is_success(), "{request:?}\n{answer:?}");
    Ok(answer)
}

/// Sends a job through one of the front ends; its number where that is told.
fn submit(server: &Server, door: u64, printer: &str, document: &[u8]) -> io::Result<Option<i32>> {
    let (address, names) = (server.address(), Names(server.address()));
    match door {
        0 => {
            let mut stream = TcpStream::connect(server.raw(printer))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(document)?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new()).map(|_| None)
        }
        1 => {
            let answer = ask(address, &names.printer(Operation::PrintJob, printer), document)?;
            Ok(Some(job_id(&answer)))
        }
        _ => {
            let created = ask(address, &names.printer(Operation::CreateJob, printer), b"")?;
            let mut send = names.job(Operation::SendDocument, job_id(&created));
            send.attributes_mut(GroupTag::Operation).put("last-document", true);
            ask(address, &send, document).map(|answer| Some(job_id(&answer)))
        }
    }
}

/// What happens from one kill to the next.
struct Torture<'a> {
    site: &'a Site,
    printers: &'a [Printer],
    numbers: AtomicU32,
    accepted: Mutex<Vec<Accepted>>,
}

impl Torture<'_> {
    fn send(&self, server: &Server, mut random: Random) {
        for _ in 0..random.below(JOBS) {
            let printer = &self.printers[random.below(self.printers.len() as u64) as usize].name;
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let begun = Instant::now();
            let Ok(id) = submit(server, random.below(3), printer, &content(number)) else { return };
            let (printer, at) = (printer.clone(), Instant::now());
            self.accepted.lock().unwrap().push(Accepted { number, printer, id, begun, at });
        }
    }

    /// Every second network printer takes no more after a while, until the server is dead.
    fn stall(&self, random: &mut Random) {
        for printer in self.printers {
            if let Wire::Tcp(sink) = &printer.wire
                && random.below(2) == 0
            {
                sink.stall_after(random.below(LONGEST) as usize);
            }
        }
    }

    fn go_on(&self) {
        for printer in self.printers {
            if let Wire::Tcp(sink) = &printer.wire {
                sink.go_on();
            }
        }
    }

    /// The life of one server.
    fn live(&self, random: &mut Random) {
        let moment = |random: &mut Random| {
            Instant::now() + Duration::from_micros(random.below(LIFE.as_micros() as u64))
        };
        if random.below(EARLY) == 0 {
            let server = Server::spawn(self.site, serve(self.site));
            server.log.wait_beyond(usize::MAX, moment(random));
            return server.kill();
        }
        let server = self.site.start();
        self.stall(random);
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                let (server, random) = (&server, Random::new(random.next()));
                scope.spawn(move || self.send(server, random));
            }
            // No event is waited for: the moment is what is random.
            server.log.wait_beyond(usize::MAX, moment(random));
            server.kill_now();
            self.go_on();
        });
    }
}

/// A job as the server knows it at the end.
struct Job {
    number: u32,
    held: bool,
    resumed: bool,
    attempts: usize,
}

/// Every job of the spool, by its id, by printer; each is of a document of its own.
fn jobs(site: &Site, ipp: &mut Ipp) -> (BTreeMap<i32, u32>, HashMap<String, Vec<Job>>) {
    let (mut numbers, mut by_printer) = (BTreeMap::new(), HashMap::<_, Vec<Job>>::new());
    for job in ipp.jobs("all") {
        let (id, state) = (id_of(&job), state_of(&job));
        if state == "aborted" {
            continue;
        }
        let file = site.state_dir().join("spool").join(format!("{id:05}.spl"));
        let number = number_of(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(numbers.insert(id, number), None, "job {id} is there once");
        let held = state == "pending-held" && reasons_of(&job, "job") == ["held-after-crash"];
        assert!(held || state == "completed", "job {id} is {state}");
        let resumed = job.keyword("despool-recovery").unwrap() == Some("resumed");
        let attempts = job.integer("despool-attempts").unwrap().unwrap_or(0) as usize;
        let uri = job.uri("job-printer-uri").unwrap().unwrap();
        let printer = uri.rsplit('/').next().unwrap().to_owned();
        by_printer.entry(printer).or_default().push(Job { number, held, resumed, attempts });
    }
    let once: BTreeSet<u32> = numbers.values().copied().collect();
    assert_eq!(once.len(), numbers.len(), "no document is two jobs");
    (numbers, by_printer)
}

#[derive(Default)]
struct Count {
    printed: usize,
    held: usize,
    resumed: usize,
    begun_again: usize,
}

/// Everything that a printer got is accounted for. Where each document came whole for the last time.
fn count(printer: &Printer, got: &[u8], jobs: &[Job], count: &mut Count) -> HashMap<u32, usize> {
    let name = &printer.name;
    let starts: Vec<usize> = (0..got.len()).filter(|at| got[*at] == MARK).collect();
    assert!(starts.first().is_none_or(|first| *first == 0), "{name}: the middle of nothing");
    let ends = starts.iter().skip(1).copied().chain([got.len()]);
    let mut pieces: HashMap<u32, Vec<bool>> = HashMap::new();
    let (mut before, mut places) = (None, HashMap::new());
    for (start, piece) in starts.iter().zip(ends).map(|(start, end)| (*start, &got[*start..end])) {
        // Cut off in its number: it could be anybody's.
        let Some(number) = number_of(piece) else { continue };
        let whole = content(number);
        assert!(whole.starts_with(piece), "{name}: {number} is not as it was sent");
        // One of a lower number, accepted while this one was printed already, goes first after the crash.
        let again = pieces.contains_key(&number) && before != Some(number);
        assert!(!again || printer.restarts, "{name}: {number} comes again behind another");
        pieces.entry(number).or_default().push(whole.len() == piece.len());
        before = Some(number);
        if whole.len() == piece.len() {
            places.insert(number, start);
        }
    }
    for Job { number, held, resumed, attempts } in jobs {
        let of_it = pieces.remove(number).unwrap_or_default();
        let whole = of_it.iter().filter(|whole| **whole).count();
        let what = format!("{name}: {number} held: {held}, attempts: {attempts}, {of_it:?}");
        assert!(of_it.len() <= (*attempts).max(1), "{what}");
        if *held {
            count.held += 1;
        } else {
            count.printed += 1;
            assert_eq!(of_it.last(), Some(&true), "{what}");
        }
        // Only who is told to begin again may print again what turns out to have been whole.
        assert!(whole <= 1 || printer.restarts, "{what}");
        count.resumed += usize::from(*resumed);
        count.begun_again += of_it.len().saturating_sub(1);
    }
    assert!(pieces.is_empty(), "{name}: of no job: {:?}", pieces.keys());
    places
}

/// What was accepted before another was begun comes before it.
fn check_order<K: Ord + Copy>(printer: &str, accepted: &[Accepted], places: &HashMap<u32, K>) {
    let ours = accepted.iter().filter(|one| one.printer == printer);
    let mut ours: Vec<(K, &Accepted)> =
        ours.filter_map(|one| Some((*places.get(&one.number)?, one))).collect();
    ours.sort_by_key(|(place, _)| *place);
    let mut latest = None;
    for (_, one) in ours {
        assert!(latest.is_none_or(|latest| one.at >= latest), "{printer}: {} is late", one.number);
        latest = latest.max(Some(one.begun));
    }
}

#[test]
fn a_server_that_is_killed_again_and_again_prints_everything_once() {
    if !tiers::asked("slow", "a_server_that_is_killed_again_and_again_prints_everything_once") {
        return;
    }
    let begun = Instant::now();
    let seed = std::env::var("DESPOOL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("DESPOOL_SEED={seed}");
    let mut random = Random::new(seed);
    let site = Site::new();
    let printers = printers(&site);
    let torture = Torture {
        site: &site,
        printers: &printers,
        numbers: AtomicU32::new(1),
        accepted: Mutex::default(),
    };
    for _ in 0..KILLS {
        torture.live(&mut random);
    }
    let server = site.start();
    for printer in &printers {
        if let Wire::Tty(tty) = &printer.wire {
            wires::tell(tty.handle(), "speed max");
        }
    }
    let mut ipp = server.ipp();
    server.until("the end of all jobs", || {
        let left = ipp.jobs("not-completed");
        left.iter().all(|job| state_of(job) == "pending-held").then_some(())
    });
    let (numbers, by_printer) = jobs(&site, &mut ipp);
    let accepted = torture.accepted.into_inner().unwrap();
    let ids: HashMap<u32, i32> = numbers.iter().map(|(id, number)| (*number, *id)).collect();
    for Accepted { number, id, .. } in &accepted {
        let known = ids.get(number);
        assert!(known.is_some(), "{number} was accepted, and is lost");
        assert!(id.is_none_or(|id| known == Some(&id)), "{number}: {id:?} was told, not {known:?}");
    }
    assert!(server.terminate().success());
    let mut sum = Count::default();
    for printer in &printers {
        let jobs = by_printer.get(&printer.name).map_or(&[][..], Vec::as_slice);
        let got = match &printer.wire {
            Wire::Tty(tty) => tty.handle().take_kept(),
            Wire::Tcp(sink) => {
                let all = sink.when(|all| all.iter().all(|one| one.end.is_some()));
                all.into_iter().flat_map(|one| one.bytes).collect()
            }
        };
        check_order(&printer.name, &accepted, &ids);
        check_order(&printer.name, &accepted, &count(printer, &got, jobs, &mut sum));
    }
    let Count { printed, held, resumed, begun_again } = sum;
    tiers::say(&format!(
        "torture: {KILLS} kills in {} s, {} jobs sent, {} accepted: none lost, none twice; {printed} printed, {held} held, \
         {resumed} resumed, {begun_again} begun again (seed {seed})",
        begun.elapsed().as_secs(),
        torture.numbers.into_inner() - 1,
        accepted.len(),
    ));
}

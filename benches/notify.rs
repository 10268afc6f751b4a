//! How long does it take from a status byte arriving on a port until who listens has the notification?
//!
//! A server in this process (`despool::server`) and a PJL printer on a pty. The clock runs from the write of a status message
//! at the device's end until a registration's parked call returns: port thread, port monitor, language monitor, provider,
//! sources, broker. A bare round trip over loopback, taken in turns, is taken off.
//!
//! - *idle*: nothing else happens.
//! - *printing*: a job goes out on the same port meanwhile, as fast as the pty takes it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot measure stops")]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::notify::{Listener, Notification, Object, Style, Topic, UserFilter};
use despool::provider::{JobControl, JobState};
use despool::sources::types;
use support::echo::Echo;
use support::rig::{Rig, printer, ticket};
use support::sink::open_pty;
use support::turns::{Effort, Lap, in_turns};
use support::{Closing, noise, shown};

/// A notification takes at most this long, the round trip apart.
const NOTIFIED: Duration = Duration::from_millis(2);

/// Longer than status is coalesced ([`despool::limits::PACE`]): each message is the first after a quiet time.
const QUIET: Duration = Duration::from_millis(25);

/// A notification that has not come in this time never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// A document that is printed as often as it takes.
const DOCUMENT_BYTES: usize = 1 << 20;

fn main() -> ExitCode {
    let mut criterion = Criterion::default().configure_from_args();
    let mut closing = Closing::new();
    let dir = support::dir_on_disk();
    let mut device = Device::start();
    let port = format!("serial:{}", device.path.display());
    let rig = Rig::start(dir.path(), &[printer("bench", &port, "language = \"pjl\"")]);
    let hears = Hears::start(&rig);
    let mut echo = Echo::start();
    device.say_until_heard(&hears);
    notified(&mut criterion, &mut closing, "notify/idle", &mut device, &hears, &mut echo);

    let document: Bytes = noise(DOCUMENT_BYTES).into();
    let mut endless = ticket("bench");
    endless.copies = u16::MAX;
    let job = rig.run(rig.submit(endless, &document));
    rig.run(async {
        while rig.state(job).await != JobState::Processing {
            tokio::task::yield_now().await;
        }
    });
    notified(&mut criterion, &mut closing, "notify/printing", &mut device, &hears, &mut echo);
    let state = rig.run(rig.state(job));
    assert_eq!(state, JobState::Processing, "the job was over before the measurement was");
    rig.run(rig.control(job, JobControl::Cancel { why: "the bench is over".into() }));
    rig.wait_for_end(job);

    criterion.final_summary();
    closing.end()
}

fn notified(
    criterion: &mut Criterion,
    closing: &mut Closing,
    name: &str,
    device: &mut Device,
    hears: &Hears,
    echo: &mut Echo,
) {
    let effort = Effort::new((20, 3), (100, 10));
    let ours = || {
        // What else happens to the printer is told of, too.
        while hears.told.recv_timeout(QUIET).is_ok() {}
        let (begun, number) = device.say();
        Lap { took: hears.wait_for(number) - begun, cpu: Duration::ZERO }
    };
    let Some(turns) = in_turns(criterion, name, effort, || echo.lap(), ours) else { return };
    let (round_trip, took) = turns.times();
    let over = took.saturating_sub(round_trip);
    println!(
        "{name}: {} (loopback round trip {}, over it {})",
        shown(took),
        shown(round_trip),
        shown(over)
    );
    closing.within(name, over.as_secs_f64(), NOTIFIED.as_secs_f64());
}

/// The device's end of a port: reads all that comes, and says how it is.
struct Device {
    end: File,
    path: std::path::PathBuf,
    said: u64,
    _open: OwnedFd,
}

impl Device {
    fn start() -> Self {
        let (end, path, open) = open_pty();
        let mut reader = end.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buf = vec![0; 64 * 1024];
            while reader.read(&mut buf).is_ok_and(|bytes| bytes > 0) {}
        });
        Self { end, path, said: 0, _open: open }
    }

    /// Says that it is ready, in words that it has not used before. When, and which.
    fn say(&mut self) -> (Instant, u64) {
        self.said += 1;
        let said = self.said;
        let status = format!(
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nDISPLAY=\"NOTE {said}\"\r\nONLINE=TRUE\r\n\x0c"
        );
        let begun = Instant::now();
        self.end.write_all(status.as_bytes()).unwrap();
        (begun, said)
    }

    /// The server may still be opening the port.
    fn say_until_heard(&mut self, hears: &Hears) {
        let begun = Instant::now();
        while hears.told.recv_timeout(QUIET).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the server does not hear the device");
            self.say();
        }
        while hears.told.recv_timeout(QUIET * 4).is_ok() {}
    }
}

/// Somebody who listens to the printer, on a thread of their own.
struct Hears {
    told: Receiver<(Instant, u64)>,
}

impl Hears {
    fn start(rig: &Rig) -> Self {
        let topic = Topic {
            object: Object::printer("bench"),
            notification_type: types::PRINTER,
            style: Style::Unidirectional,
        };
        let who = Listener::server_identity();
        let mut listener =
            Listener::register(&rig.broker, topic, UserFilter::PerUser, who).unwrap();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                while let Ok(Notification::Data(payload)) = listener.next().await {
                    let now = Instant::now();
                    if let Some(number) = number_in(&payload)
                        && tell.send((now, number)).is_err()
                    {
                        break;
                    }
                }
            });
        });
        Self { told }
    }

    /// When this message of the device was heard.
    fn wait_for(&self, number: u64) -> Instant {
        loop {
            let (at, heard) = self.told.recv_timeout(PATIENCE).unwrap();
            if heard == number {
                return at;
            }
        }
    }
}

/// The number in what the device displays.
fn number_in(payload: &[u8]) -> Option<u64> {
    let json: serde_json::Value = serde_json::from_slice(payload).ok()?;
    json.get("message")?.as_str()?.strip_prefix("NOTE ")?.parse().ok()
}

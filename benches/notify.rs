//! How long does it take from a status byte arriving on a port until who listens has the notification?
//!
//! A server in this process (`despool::server`) and a PJL printer on a pty. The clock runs from the write of a status message
//! at the device's end until a registration's parked call returns: port thread, port monitor, language monitor, provider,
//! sources, broker. A bare round trip over loopback, taken in turns, is taken off.
//!
//! - *idle*: nothing else happens.
//! - *printing*: a job goes out on the same port meanwhile, as fast as the pty takes it.
//! - *rpc*: the same two, until `GetNotification` of an [MS-PAN] client returns, over loopback at level "privacy".
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot measure stops")]

mod support;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::Criterion;
use despool::accounts::local;
use despool::notify::{Listener, Notification, Object, Style, Topic, UserFilter};
use despool::pan::client::{Heard, Registration, Server as Place, Wanted};
use despool::provider::{JobControl, JobState};
use despool::rpc::auth::Credentials;
use despool::sources::types;
use support::device::Device;
use support::echo::Echo;
use support::rig::{Rig, printer, ticket};
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
    let printers = [printer("bench", &port, "language = \"pjl\"")];
    let rig = Rig::start_with(dir.path(), "rpc = \"127.0.0.1:0\"", &printers);
    let mut echo = Echo::start();
    wait_for_port(&mut device, &Hears::locally(&rig));
    let mut measure = |name: &str, hears: &Hears| {
        notified(&mut criterion, &mut closing, name, &mut device, hears, &mut echo);
    };
    measure("notify/idle", &Hears::locally(&rig));
    measure("notify/rpc_idle", &Hears::over_rpc(&rig));

    let document: Bytes = noise(DOCUMENT_BYTES).into();
    let mut endless = ticket("bench");
    endless.copies = u16::MAX;
    let job = rig.run(rig.submit(endless, &document));
    rig.run(async {
        while rig.state(job).await != JobState::Processing {
            tokio::task::yield_now().await;
        }
    });
    measure("notify/printing", &Hears::locally(&rig));
    measure("notify/rpc_printing", &Hears::over_rpc(&rig));
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

/// The server may still be opening the port.
fn wait_for_port(device: &mut Device, hears: &Hears) {
    let begun = Instant::now();
    while hears.told.recv_timeout(QUIET).is_err() {
        assert!(begun.elapsed() < PATIENCE, "the server does not hear the device");
        device.say();
    }
    while hears.told.recv_timeout(QUIET * 4).is_ok() {}
}

/// Somebody who listens to the printer, on a thread of their own, until a notification finds this dropped.
struct Hears {
    told: Receiver<(Instant, u64)>,
}

impl Hears {
    /// A component of the server.
    fn locally(rig: &Rig) -> Self {
        let topic = Topic {
            object: Object::printer("bench"),
            notification_type: types::PRINTER,
            style: Style::Unidirectional,
        };
        let who = Listener::server_identity();
        let mut listener =
            Listener::register(&rig.broker, topic, UserFilter::PerUser, who).unwrap();
        Self::start(async move |tell| {
            while let Ok(Notification::Data(payload)) = listener.next().await
                && pass_on(&tell, &payload)
            {}
        })
    }

    /// A client of [MS-PAN] on this machine; returns when it is registered.
    fn over_rpc(rig: &Rig) -> Self {
        let address = rig.address("rpc");
        let secret = local::read(&rig.state_dir).unwrap();
        let credentials = Credentials::new("", local::NAME, &secret);
        let place = Place::new(&address.ip().to_string(), credentials).at_port(address.port());
        let wanted = Wanted {
            name: Some(format!("\\\\{}\\bench", address.ip())),
            notification_type: types::PRINTER,
            filter: UserFilter::PerUser,
            style: Style::Unidirectional,
        };
        let (registered, ready) = channel();
        let hears = Self::start(async move |tell| {
            let client = place.connect().await.unwrap();
            let mut registration = Registration::new(client, &wanted).await.unwrap();
            registered.send(()).unwrap();
            while let Ok(Heard::Data(payload)) = registration.next().await
                && pass_on(&tell, &payload)
            {}
        });
        ready.recv_timeout(PATIENCE).unwrap();
        hears
    }

    fn start(listens: impl AsyncFnOnce(Sender<(Instant, u64)>) + Send + 'static) -> Self {
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(listens(tell));
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

/// Notes when a notification came; false where nobody wants to know any more.
fn pass_on(tell: &Sender<(Instant, u64)>, payload: &[u8]) -> bool {
    let now = Instant::now();
    number_in(payload).is_none_or(|number| tell.send((now, number)).is_ok())
}

/// The number in what the device displays.
fn number_in(payload: &[u8]) -> Option<u64> {
    let json: serde_json::Value = serde_json::from_slice(payload).ok()?;
    json.get("message")?.as_str()?.strip_prefix("NOTE ")?.parse().ok()
}

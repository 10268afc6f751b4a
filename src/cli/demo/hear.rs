//! What the demo hears of its own server, as any client would: registered by [MS-PAN], over a socket.
//!
//! Invariant: everything is registered before the first job is sent, so that nothing of it is missed.

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::show::Screen;
use super::{LAST_WORDS, PRINTER};
use crate::cli::Failed;
use crate::cli::watch::place::Place;
use crate::cli::watch::show::{About, Line, Seen};
use crate::cli::watch::{News, Teller, connectors, follow};
use crate::limits::WATCH_WAITING;
use crate::notify::{Style, UserFilter};
use crate::pan::client::{Subscription, Wanted};
use crate::sources::types;

/// What is listened to.
const WANTED: [(crate::notify::NotificationType, Style); 6] = [
    (types::JOB, Style::Unidirectional),
    (types::PRINTER, Style::Unidirectional),
    (types::PORT, Style::Unidirectional),
    (types::PRINTER_CONFIGURATION, Style::Unidirectional),
    (types::ASYNCUI, Style::Unidirectional),
    (types::ASYNCUI, Style::Bidirectional),
];

/// The demo's subscriptions.
pub(super) struct Hearing {
    stop: watch::Sender<bool>,
    state: watch::Receiver<State>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Clone, Default)]
struct State {
    registered: usize,
    /// The job's end was told.
    ended: bool,
    failed: Option<String>,
}

impl Hearing {
    /// Registers for everything, and shows it on the screen as it comes.
    pub(super) async fn begin(place: &Place, screen: Screen) -> Result<Self, Failed> {
        let (to, news) = mpsc::channel(WATCH_WAITING);
        let (stop, stopped) = watch::channel(false);
        let (told, mut state) = watch::channel(State::default());
        let connectors = connectors(place);
        let mut tasks = Vec::new();
        for (notification_type, style) in WANTED {
            let name = Some(place.printer_name(PRINTER));
            let wanted = Wanted { name, notification_type, filter: UserFilter::AllUsers, style };
            let teller = Teller { about: About::new(Some(PRINTER), &wanted), to: to.clone() };
            let connector = connectors.clone();
            let make = move || Subscription::new(connector(), wanted.clone());
            tasks.push(tokio::task::spawn_local(follow(make, teller, stopped.clone())));
        }
        tasks.push(tokio::task::spawn_local(show(news, told, screen)));
        let ready = |state: &State| state.registered == WANTED.len() || state.failed.is_some();
        let ready = state.wait_for(ready).await?.failed.clone();
        match ready {
            Some(why) => Err(why.into()),
            None => Ok(Self { stop, state, tasks }),
        }
    }

    /// Waits until the job's end was told, then takes leave of the server.
    pub(super) async fn end(mut self) -> Result<(), Failed> {
        let last = timeout(LAST_WORDS, self.state.wait_for(|state| state.ended)).await;
        let told = matches!(last, Ok(Ok(_)));
        drop(last);
        let _ = self.stop.send(true);
        for task in self.tasks {
            task.await?;
        }
        if told { Ok(()) } else { Err("the job's end was not told".into()) }
    }
}

async fn show(mut news: mpsc::Receiver<News>, told: watch::Sender<State>, screen: Screen) {
    let mut last = String::new();
    while let Some(news) = news.recv().await {
        match news {
            News::Seen(Line { seen: Seen::Registered, .. }) => {
                told.send_modify(|state| state.registered += 1);
            }
            News::Seen(line) => {
                let (is_news, ended) = look(&line, &mut last, &screen);
                if is_news {
                    screen.line(format!("notified    {}", line.words()));
                }
                if ended {
                    told.send_modify(|state| state.ended = true);
                }
            }
            News::Question(question) => {
                let about = question.about().clone();
                let asked = Line { about, seen: Seen::Notification(question.payload.clone()) };
                screen.line(format!("asked       {}", asked.words()));
            }
            News::Failed(why) => told.send_modify(|state| state.failed = Some(why.to_string())),
        }
    }
}

/// Whether a notification says more than how far the job is, and whether it tells the job's end. How far it is shows in the
/// bar.
fn look(line: &Line, last: &mut String, screen: &Screen) -> (bool, bool) {
    let Seen::Notification(payload) = &line.seen else { return (true, false) };
    if line.about.notification_type != types::JOB {
        return (true, false);
    }
    let event: Value = serde_json::from_slice(payload).unwrap_or_default();
    let job = event.get("job").cloned().unwrap_or_default();
    let of = |key: &str| job.get(key).cloned().unwrap_or_default();
    screen.progress(of("bytes_done").as_u64().unwrap_or_default(), "");
    let now = format!("{} {}", of("state"), of("reasons"));
    let is_news = *last != now;
    *last = now;
    let ended = matches!(of("state").as_str(), Some("completed" | "canceled" | "aborted"));
    (is_news, ended)
}

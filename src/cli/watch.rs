//! `despool watch`: registers with a print server by [MS-PAN] and shows notifications as they come.
//!
//! ```text
//!   place (which server, who am I) ──► Subscription for each type and style ──► main loop ──► show (people, or JSON)
//!                                                                                  ▲ └── ask ──► the person
//!                                                                                  └──────────── answers, stdin
//! ```
//!
//! Where the server is gone it tries again by the protocol's rule. Invariant: one line of output for each thing that
//! happens, in its order.

mod ask;
mod follow;
pub(in crate::cli) mod place;
pub(in crate::cli) mod show;

use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use self::ask::{Asking, Question};
pub(super) use self::follow::{Teller, follow};
use self::place::Place;
use self::show::{About, Line, Output};
use super::{Failed, Outcome};
use crate::limits::WATCH_WAITING;
use crate::notify::{NotificationType, Style, UserFilter};
use crate::pan::client::remote::shared;
use crate::pan::client::{Connect, Error, Subscription, Wanted};
use crate::pan::hresult::HResult;
use crate::sources::types;

#[derive(Args, Debug)]
pub(super) struct Watch {
    /// The printer [default: the server itself, which tells of all its printers]
    #[arg(value_name = "PRINTER")]
    printer: Option<String>,
    /// Notification types: asyncui, printer-configuration, job, printer, port, or a GUID [default: all that have a name]
    #[arg(long = "type", value_name = "GUID|NAME", value_parser = notification_type)]
    types: Vec<NotificationType>,
    /// Also take part in conversations: show questions, ask for the answer, send it
    #[arg(long)]
    bidi: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Also what is meant for other users; for administrators [default for the server's own machine]
    #[arg(long)]
    all_users: bool,
    #[command(flatten)]
    place: place::Arguments,
}

/// Types of which the server opens conversations; of others by name it does not.
fn has_conversations(notification_type: NotificationType) -> bool {
    notification_type == types::ASYNCUI || types::name_of(notification_type).is_none()
}

fn notification_type(text: &str) -> Result<NotificationType, String> {
    types::named(text).map_or_else(
        || {
            text.parse().map_err(|_| {
                let names = types::NAMES.map(|(name, _)| name).join(", ");
                format!("neither a GUID nor one of {names}")
            })
        },
        Ok,
    )
}

/// What a subscription has to say.
pub(super) enum News {
    Seen(Line),
    /// A question that came with a channel; the answer goes by it.
    Question(Question),
    /// A subscription is over.
    Failed(Error),
}

pub(super) async fn run(args: Watch) -> Outcome {
    let place = args.place.find()?;
    let filter = match args.all_users || place.is_local() {
        true => UserFilter::AllUsers,
        false => UserFilter::PerUser,
    };
    let output = Output::new(args.json);
    let (to, news) = mpsc::channel(WATCH_WAITING);
    let (stop, stopped) = watch::channel(false);
    let connectors = connectors(&place);
    let mut tasks = Vec::new();
    for wanted in wanted(&args, &place, filter) {
        let about = About::new(args.printer.as_deref(), &wanted);
        let teller = Teller { about, to: to.clone() };
        let connector = connectors.clone();
        let make = move || Subscription::new(connector(), wanted.clone());
        tasks.push(tokio::task::spawn_local(follow(make, teller, stopped.clone())));
    }
    drop(to);
    let outcome = attend(news, output).await;
    // Whoever is still registered says good-bye.
    let _ = stop.send(true);
    for task in tasks {
        task.await?;
    }
    outcome
}

pub(super) fn connectors(place: &Place) -> impl Fn() -> Connect + Clone + use<> {
    let place = place.clone();
    shared(move || {
        let place = place.clone();
        async move { place.connect().await }
    })
}

/// What to register for.
fn wanted(args: &Watch, place: &Place, filter: UserFilter) -> Vec<Wanted> {
    let all: Vec<NotificationType> = types::NAMES.iter().map(|(_, guid)| *guid).collect();
    let types = if args.types.is_empty() { all } else { args.types.clone() };
    let name = args.printer.as_deref().map(|printer| place.printer_name(printer));
    let of = |style| {
        let name = name.clone();
        move |notification_type: &NotificationType| {
            let notification_type = *notification_type;
            Wanted { name: name.clone(), notification_type, filter, style }
        }
    };
    let uni = types.iter().map(of(Style::Unidirectional));
    let asks =
        |notification_type: &&NotificationType| args.bidi && has_conversations(**notification_type);
    uni.chain(types.iter().filter(asks).map(of(Style::Bidirectional))).collect()
}

/// Shows what comes, until a signal or the end of all subscriptions.
async fn attend(mut news: mpsc::Receiver<News>, mut output: Output) -> Outcome {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut asking = Asking::new();
    loop {
        tokio::select! {
            next = news.recv() => match next {
                None => return Ok(ExitCode::SUCCESS),
                Some(News::Seen(line)) => output.show(&line)?,
                Some(News::Question(question)) => asking.take(question, &mut output)?,
                Some(News::Failed(why)) => return Err(explained(&why)),
            },
            answer = asking.answer() => asking.carry_out(answer, &output),
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// What to do about a failure that trying again does not mend.
fn explained(why: &Error) -> Failed {
    match why {
        Error::Failed { result: HResult::NO_SUCH_PRINTER, .. } => {
            Failed(format!("{why}; `despool printers` lists those there are"))
        }
        Error::Failed { result: HResult::ACCESS_DENIED, .. } => {
            Failed(format!("{why}; leave out --all-users, or give --user ADMINISTRATOR"))
        }
        Error::NotAuthenticated(_) => Failed(format!("{why}; give another --user")),
        why => Failed(why.to_string()),
    }
}

//! Follows subscriptions, and the channels that come by them.
//!
//! A subscription comes back by itself when the connection breaks. When the server ends the wait, which it does when it
//! stops, [MS-PAN] 3.1.1.4.5 wants no further call: it is over, and another one is made, after the same pauses.
//!
//! Invariant: what is told stands in the order in which it was heard.

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::News;
use super::ask::Question;
use super::show::{About, Line, Seen};
use crate::limits::WATCH_GOODBYE;
use crate::pan::client::retry::Retry;
use crate::pan::client::{Channel, Error, Subscription, Told, Update};
use crate::pan::hresult::HResult;

/// Where a subscription tells what it hears.
#[derive(Clone)]
pub(in crate::cli) struct Teller {
    pub(in crate::cli) about: About,
    pub(in crate::cli) to: mpsc::Sender<News>,
}

impl Teller {
    pub(super) async fn tell(&self, seen: Seen) {
        // Nobody hears it at the end.
        let line = Line { about: self.about.clone(), seen };
        let _ = self.to.send(News::Seen(line)).await;
    }
}

/// How a subscription ended.
enum End {
    /// Nobody wants it any more.
    Stopped,
    /// The printer was deleted.
    Released,
    /// The server has ended the wait.
    Terminated(Error),
    Failed(Error),
}

/// What has happened so far.
#[derive(Default)]
struct Past {
    retry: Retry,
    registered: bool,
}

/// Follows subscriptions of one kind, one after the other, until nobody wants any more.
pub(in crate::cli) async fn follow(
    make: impl Fn() -> Subscription,
    teller: Teller,
    mut stopped: watch::Receiver<bool>,
) {
    let mut past = Past::default();
    loop {
        let mut subscription = make();
        let end = hear_out(&mut subscription, &teller, &mut stopped, &mut past).await;
        match end {
            End::Stopped | End::Released => {
                // The server notices without it, later.
                let _ = timeout(WATCH_GOODBYE, subscription.unregister()).await;
                return;
            }
            End::Failed(why) => {
                let _ = teller.to.send(News::Failed(why)).await;
                return;
            }
            End::Terminated(why) => {
                let pause = past.retry.pause(0);
                teller.tell(Seen::Lost { why: why.to_string(), pause }).await;
                tokio::select! {
                    () = sleep(pause) => {}
                    _ = stopped.wait_for(|stop| *stop) => return,
                }
            }
        }
    }
}

async fn hear_out(
    subscription: &mut Subscription,
    teller: &Teller,
    stopped: &mut watch::Receiver<bool>,
    past: &mut Past,
) -> End {
    loop {
        let update = tokio::select! {
            update = subscription.next() => update,
            _ = stopped.wait_for(|stop| *stop) => return End::Stopped,
        };
        let seen = match update {
            Ok(Update::Registered) => {
                past.registered = true;
                Seen::Registered
            }
            Ok(Update::Notification(payload)) => {
                past.retry.succeeded();
                Seen::Notification(payload)
            }
            Ok(Update::Channels(channels)) => {
                past.retry.succeeded();
                for channel in channels {
                    tokio::task::spawn_local(hear(channel, teller.clone()));
                }
                continue;
            }
            Ok(Update::Released) => {
                // Each further call says the same at once.
                teller.tell(Seen::Released).await;
                return End::Released;
            }
            Ok(Update::Lost { why, .. }) if !past.registered && is_no_printer(&why) => {
                return End::Failed(why);
            }
            Ok(Update::Lost { why, pause }) => Seen::Lost { why: why.to_string(), pause },
            Err(why) if is_termination(&why) => return End::Terminated(why),
            Err(why) => return End::Failed(why),
        };
        teller.tell(seen).await;
    }
}

/// One that is taken away may come back; one that never was there is a slip of the pen.
fn is_no_printer(why: &Error) -> bool {
    matches!(why, Error::Failed { result, .. } if *result == HResult::NO_SUCH_PRINTER)
}

fn is_termination(why: &Error) -> bool {
    matches!(why, Error::Failed { result, .. } if *result == HResult::TERMINATED)
}

/// Waits for the first notification of a channel.
async fn hear(mut channel: Channel, teller: Teller) {
    match channel.first().await {
        Ok(Told::Notification(payload)) => {
            let to = teller.to.clone();
            let _ = to.send(News::Question(Question { teller, payload, channel })).await;
        }
        Ok(Told::Over(Some(payload))) => teller.tell(Seen::Notification(payload)).await,
        Ok(Told::Over(None)) => teller.tell(Seen::Withdrawn).await,
        Err(why) => teller.tell(Seen::Broken { why: why.to_string() }).await,
    }
}

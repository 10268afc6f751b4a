//! A subscription: a registration that is made again, with the pauses of the protocol, when something breaks.
//!
//! ```text
//!   connect ──► Registration ── next(), new_channels() ──► Update::Notification, Update::Channels
//!      ▲             │ fails, but not for ever
//!      └── pause ◄───┘ Update::Lost, and Update::Registered when it works again
//! ```
//!
//! Invariant: each attempt makes a new remote object; a failure that is final ends it ([`Error::is_final`]).

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use super::retry::Retry;
use super::{Channel, Error, Heard, Registration, Transport, Wanted};
use crate::notify::Style;

/// Makes a new association with the server. Called for each attempt.
pub type Connect = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Rc<dyn Transport>, Error>>>>>;

/// What a subscription hears.
pub enum Update {
    /// It is registered (again).
    Registered,
    /// A notification.
    Notification(bytes::Bytes),
    /// New channels, to be served in parallel.
    Channels(Vec<Channel>),
    /// The printer was deleted. It is registered for as long as the server likes, but nothing more will come.
    Released,
    /// Something broke. It tries again by itself after the pause.
    Lost {
        /// What.
        why: Error,
        /// How long.
        pause: Duration,
    },
}

enum State {
    /// To be registered after the pause.
    Waiting(Duration),
    Registered(Registration),
    Ended(Error),
}

/// See the module.
pub struct Subscription {
    connect: Connect,
    wanted: Wanted,
    retry: Retry,
    state: State,
}

impl Subscription {
    /// Nothing happens before the first [`next`](Self::next).
    pub fn new(connect: Connect, wanted: Wanted) -> Self {
        let state = State::Waiting(Duration::ZERO);
        Self { connect, wanted, retry: Retry::default(), state }
    }

    /// What happens next; waits for it. After an error it is over.
    pub async fn next(&mut self) -> Result<Update, Error> {
        let attempt = match &mut self.state {
            State::Waiting(pause) => {
                tokio::time::sleep(*pause).await;
                self.register().await
            }
            State::Registered(registration) => heard(registration, self.wanted.style).await,
            State::Ended(why) => return Err(why.clone()),
        };
        let Err(why) = attempt else { return attempt };
        if why.is_final() {
            self.state = State::Ended(why.clone());
            return Err(why);
        }
        let pause = self.retry.pause(jitter());
        self.state = State::Waiting(pause);
        Ok(Update::Lost { why, pause })
    }

    /// Ends the registration at once.
    pub async fn unregister(self) -> Result<(), Error> {
        match self.state {
            State::Registered(registration) => registration.unregister().await,
            State::Waiting(_) | State::Ended(_) => Ok(()),
        }
    }

    async fn register(&mut self) -> Result<Update, Error> {
        let transport = (self.connect)().await?;
        self.state = State::Registered(Registration::new(transport, &self.wanted).await?);
        self.retry.succeeded();
        Ok(Update::Registered)
    }
}

async fn heard(registration: &mut Registration, style: Style) -> Result<Update, Error> {
    match style {
        Style::Bidirectional => registration.new_channels().await.map(Update::Channels),
        Style::Unidirectional => Ok(match registration.next().await? {
            Heard::Data(data) => Update::Notification(data),
            Heard::Released => Update::Released,
        }),
    }
}

fn jitter() -> u8 {
    let mut octet = [0];
    // Without randomness all clients pause equally long: worse, not wrong.
    let _ = getrandom::fill(&mut octet);
    let [octet] = octet;
    octet
}

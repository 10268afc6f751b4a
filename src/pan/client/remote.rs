//! A server over TCP: [`Transport`] on our DCE/RPC client.
//!
//! ```no_run
//! # use despool::pan::client::{Server, Subscription, Update, Wanted};
//! # use despool::notify::{NotificationType, Style, UserFilter};
//! # use despool::rpc::auth::Credentials;
//! # async fn example() -> Result<(), despool::pan::client::Error> {
//! let credentials = Credentials::new("WORKGROUP", "alice", "secret");
//! let server = Server::new("printsrv", credentials);
//! let wanted = Wanted {
//!     name: Some(r"\\printsrv\label".to_owned()),
//!     notification_type: "f6853f92-eb31-4e23-b6e7-fd69056153f0".parse::<NotificationType>()?,
//!     filter: UserFilter::PerUser,
//!     style: Style::Unidirectional,
//! };
//! let mut subscription = Subscription::new(server.connector(), wanted);
//! loop {
//!     if let Update::Notification(payload) = subscription.next().await? {
//!         println!("{} bytes", payload.len());
//!     }
//! }
//! # }
//! ```
//!
//! Invariant: subscriptions of one connector share an association for as long as it lasts.

use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use tokio::sync::Mutex;

use super::Error;
use super::subscription::Connect;
use super::transport::{Called, Failure, Response, Transport};
use crate::pan::REMOTE_OBJECT;
use crate::rpc::auth::{Credentials, GSS_NEGOTIATE, Level};
use crate::rpc::client::{Client, Failure as Failed, Options, Security, mapper};
use crate::rpc::ndr::Syntax;
use crate::rpc::uuid::SyntaxId;

/// A print server, and how to reach it.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: Option<u16>,
    mapper_port: u16,
    options: Options,
}

impl Server {
    /// The server of this name or address, whose endpoint mapper tells the port. Logs on by SPNEGO and encrypts
    /// everything ([MS-PAN] asks for level "packet" at least).
    pub fn new(host: &str, credentials: Credentials) -> Self {
        let security = Security {
            credentials,
            auth_type: GSS_NEGOTIATE,
            level: Level::Privacy,
            target: Some(format!("host/{host}")),
        };
        let options = Options::with(security);
        Self { host: host.to_owned(), port: None, mapper_port: mapper::PORT, options }
    }

    /// The same at a port that is known: no endpoint mapper is asked.
    pub fn at_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// The same with its endpoint mapper at another port than 135.
    pub fn with_mapper_at(self, mapper_port: u16) -> Self {
        Self { mapper_port, ..self }
    }

    /// The same with other options of the connection.
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Its name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Makes an association.
    pub async fn connect(&self) -> Result<Rc<Client>, Error> {
        let addresses = match self.port {
            Some(port) => mapper::resolve(&self.host, port).await?,
            None => vec![mapper::find(&self.host, self.mapper_port, &REMOTE_OBJECT).await?],
        };
        let mut last = Error::Unreachable(format!("{} has no address", self.host));
        for address in addresses {
            match Client::connect(address, self.options.clone(), &REMOTE_OBJECT).await {
                Ok(client) => return Ok(Rc::new(client)),
                Err(failure) => last = failure.into(),
            }
        }
        Err(last)
    }

    /// What makes associations for subscriptions.
    pub fn connector(self) -> Connect {
        connector(move || {
            let server = self.clone();
            async move { server.connect().await }
        })
    }
}

/// The same where a server may be another one at each attempt: `connect` is called where there is no association, or it is
/// over.
pub fn connector<F>(connect: impl Fn() -> F + 'static) -> Connect
where
    F: Future<Output = Result<Rc<Client>, Error>> + 'static,
{
    shared(connect)()
}

/// Makes connectors that share their associations.
pub fn shared<F>(connect: impl Fn() -> F + 'static) -> impl Fn() -> Connect + Clone
where
    F: Future<Output = Result<Rc<Client>, Error>> + 'static,
{
    let (connect, last) = (Rc::new(connect), Rc::new(Mutex::new(Weak::<Client>::new())));
    move || {
        let (connect, last) = (connect.clone(), last.clone());
        Box::new(move || {
            let (connect, last) = (connect.clone(), last.clone());
            let connected = async move {
                // Held while it connects: who comes meanwhile shares what comes of it.
                let mut last = last.lock().await;
                let client = match last.upgrade().filter(|client| !client.is_over()) {
                    Some(client) => client,
                    None => connect().await?,
                };
                *last = Rc::downgrade(&client);
                Ok(client as Rc<dyn Transport>)
            };
            Box::pin(connected) as Pin<Box<dyn Future<Output = _>>>
        })
    }
}

impl Transport for Client {
    fn call<'a>(
        &'a self,
        interface: SyntaxId,
        opnum: u16,
        stub: &'a dyn Fn(Syntax) -> Vec<u8>,
    ) -> Called<'a> {
        Box::pin(async move {
            let answer = self.call(&interface, opnum, stub).await?;
            Ok(Response { stub: answer.stub, syntax: answer.syntax, order: answer.order })
        })
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Fault { status, .. } => Self::Fault(status),
            Failed::Refused(why) => Self::Refused(why),
            other => Self::Lost(other.to_string()),
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(why) => Self::NotAuthenticated(why),
            Failed::NoInterface(_) => {
                Self::Unreachable("the server does not serve [MS-PAN]".to_owned())
            }
            other => Self::Unreachable(other.to_string()),
        }
    }
}

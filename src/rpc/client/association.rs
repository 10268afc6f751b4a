//! An association: what one client process has with one endpoint, over one connection or more.
//!
//! Where the server takes several calls at a time, one connection does. Where it does not, each call that waits has a
//! connection of the same association group to itself, and context handles are good on all of them.
//!
//! Invariant: nothing is tried again here. When the first connection is over, so is the association.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::line::Line;
use super::{Answer, Failure, Options};
use crate::rpc::limits::LINES;
use crate::rpc::ndr::Syntax;
use crate::rpc::uuid::SyntaxId;

/// See the module. It needs a tokio runtime; each connection is a task there.
pub struct Client {
    address: SocketAddr,
    options: Options,
    first: Arc<Line>,
    is_multiplexing: bool,
    /// Those that take one call at a time, the first among them.
    pub(super) single: Mutex<Vec<Single>>,
}

pub(super) struct Single {
    line: Arc<Line>,
    free: Arc<Semaphore>,
}

impl Single {
    fn new(line: Arc<Line>) -> Self {
        Self { line, free: Arc::new(Semaphore::new(1)) }
    }
}

impl Client {
    /// Connects to an endpoint, logs on, and asks for a first interface.
    ///
    /// # Errors
    /// [`Failure::Lost`] where nobody answers, [`Failure::Refused`] where the credentials are not taken (with bare NTLM the
    /// first call tells), [`Failure::NoInterface`].
    pub async fn connect(
        address: SocketAddr,
        options: Options,
        interface: &SyntaxId,
    ) -> Result<Self, Failure> {
        let first = Arc::new(Line::connect(address, options.clone(), 0, interface).await?);
        let is_multiplexing = first.is_multiplexing();
        let single = if is_multiplexing { Vec::new() } else { vec![Single::new(first.clone())] };
        Ok(Self { address, options, first, is_multiplexing, single: Mutex::new(single) })
    }

    /// Calls an operation; the parameters are asked for in the transfer syntax that was agreed on. Many calls may wait at a
    /// time. Dropping the future cancels the call.
    pub async fn call(
        &self,
        interface: &SyntaxId,
        opnum: u16,
        stub: impl FnOnce(Syntax) -> Vec<u8>,
    ) -> Result<Answer, Failure> {
        let (line, _its_own) = self.line(interface).await?;
        let context = line.bind(interface).await?;
        line.call(context, opnum, stub(context.syntax)).await
    }

    /// True where nothing can be called any more.
    pub fn is_over(&self) -> bool {
        self.first.is_over()
    }

    /// The address of the endpoint.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection for one call.
    async fn line(
        &self,
        interface: &SyntaxId,
    ) -> Result<(Arc<Line>, Option<OwnedSemaphorePermit>), Failure> {
        if self.is_multiplexing {
            return Ok((self.first.clone(), None));
        }
        let mut single = self.single.lock().await;
        single.retain(|one| Arc::ptr_eq(&one.line, &self.first) || !one.line.is_over());
        for one in &*single {
            if let Ok(permit) = one.free.clone().try_acquire_owned() {
                return Ok((one.line.clone(), Some(permit)));
            }
        }
        if single.len() >= LINES {
            return Err(Failure::TooBusy);
        }
        let group =
            self.first.group().ok_or_else(|| Failure::Lost("the association is over".into()))?;
        let line = Line::connect(self.address, self.options.clone(), group, interface).await?;
        let one = Single::new(Arc::new(line));
        let permit = one.free.clone().try_acquire_owned().ok();
        let line = one.line.clone();
        single.push(one);
        Ok((line, permit))
    }
}

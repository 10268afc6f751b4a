//! What a client needs of DCE/RPC: calls to the two interfaces of one server, over one association.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use super::Error;
use crate::pan::hresult::HResult;
use crate::pan::stub::Stub;
use crate::rpc::ndr::{Reader, Syntax};
use crate::rpc::status::Status;
use crate::rpc::uuid::SyntaxId;
use crate::rpc::wire::ByteOrder;

/// A future that is called through a trait object.
pub type Called<'a> = Pin<Box<dyn Future<Output = Result<Response, Failure>> + 'a>>;

/// Calls a server. Several calls may wait at a time; one whose future is dropped is canceled.
pub trait Transport {
    /// Calls an operation. The stub is asked for in the transfer syntax that was agreed on.
    fn call<'a>(
        &'a self,
        interface: SyntaxId,
        opnum: u16,
        stub: &'a dyn Fn(Syntax) -> Vec<u8>,
    ) -> Called<'a>;
}

/// What a call was answered with.
#[derive(Clone, Debug)]
pub struct Response {
    /// The results.
    pub stub: Bytes,
    /// How they are encoded.
    pub syntax: Syntax,
    /// Their byte order.
    pub order: ByteOrder,
}

/// Why a call was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// By a fault.
    Fault(Status),
    /// There is no connection any more, or there was none to be had; why, for a person.
    Lost(String),
    /// The server does not take the credentials; why, for a person.
    Refused(String),
}

/// A method: its name, for messages, its interface and its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) interface: SyntaxId,
    pub(super) opnum: u16,
}

impl Method {
    /// Calls it. A fault that is an `HRESULT` is what the method would have returned (clients treat both alike).
    pub(super) async fn call<A: Stub>(
        self,
        transport: &dyn Transport,
        stub: &dyn Fn(Syntax) -> Vec<u8>,
    ) -> Result<A, Error> {
        let method = self.name;
        let response = match transport.call(self.interface, self.opnum, stub).await {
            Ok(response) => response,
            Err(Failure::Lost(why)) => return Err(Error::Unreachable(why)),
            Err(Failure::Refused(why)) => return Err(Error::NotAuthenticated(why)),
            Err(Failure::Fault(status)) if !HResult(status.0).is_success() => {
                return Err(Error::Failed { method, result: HResult(status.0) });
            }
            Err(Failure::Fault(status)) => return Err(Error::Fault { method, status }),
        };
        let mut reader = Reader::new(&response.stub, response.syntax, response.order);
        A::read(&mut reader).map_err(|bad| Error::Malformed { method, bad })
    }

    pub(super) fn check(self, result: HResult) -> Result<(), Error> {
        if result.is_success() { Ok(()) } else { Err(Error::Failed { method: self.name, result }) }
    }
}

//! Router: which print provider a printer belongs to.
//!
//! Front ends know the router and nothing behind it. There is one provider so far, the local one; one that hands jobs to
//! another server would be asked for the names that the local one does not know.

use actix::prelude::*;

use crate::error::Error;
pub use crate::provider::OpenPrinter;
use crate::provider::{
    ControlJob, ControlPrinter, Job, Jobs, LocalPrintProvider, Printer, Printers, StartDocPrinter,
    Subscribe,
};
use crate::supervise::{Live, Obituary};

/// See the module.
pub struct Router {
    local: Live<LocalPrintProvider>,
    _obituary: Obituary,
}

impl Router {
    /// A router that knows the local print provider.
    pub fn new(local: Live<LocalPrintProvider>, obituary: Obituary) -> Self {
        Self { local, _obituary: obituary }
    }
}

impl Actor for Router {
    type Context = Context<Self>;
}

/// Hands a message to the local provider; `$failed` makes an answer of what went wrong between.
macro_rules! routes {
    ($($message:ty => $failed:expr;)*) => {$(
        impl Handler<$message> for Router {
            type Result = ResponseFuture<<$message as Message>::Result>;

            fn handle(&mut self, message: $message, _: &mut Self::Context) -> Self::Result {
                let local = self.local.clone();
                Box::pin(async move { local.ask(message).await.unwrap_or_else($failed) })
            }
        }
    )*};
}

routes! {
    StartDocPrinter => Err;
    OpenPrinter => Err;
    Printer => Err;
    Jobs => Err;
    Job => Err;
    ControlJob => Err;
    ControlPrinter => Err;
    Printers => |_: Error| Vec::new();
    Subscribe => |_: Error| ();
}

#[cfg(test)]
use crate::supervise::Crash;
#[cfg(test)]
crate::supervise::crashes!(Router);

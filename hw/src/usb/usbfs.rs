//! The pipes of a real device, through `nusb`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use nusb::transfer::{Buffer, Bulk, In, Out, TransferError};
use nusb::{Endpoint, Interface, MaybeFuture};

use super::class;
use super::pipes::{Outcome, Pipes, Sent, Work};
use crate::Bell;

/// An answer that is on its way.
type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, TransferError>> + Send>>;

/// The pipes of a claimed interface. Dropping them takes back what is under way; the interface is released, and `usblp`
/// bound again, when the last of it has come back.
pub(super) struct Usbfs {
    out: Endpoint<Bulk, Out>,
    /// With the length of a transfer.
    back: Option<(Endpoint<Bulk, In>, usize)>,
    asked: Option<Answer>,
    interface: Interface,
    waker: Waker,
}

/// nusb wakes us by ringing the bell.
struct Ring(Bell);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

impl Usbfs {
    pub(super) fn new(
        interface: Interface,
        out: Endpoint<Bulk, Out>,
        back: Option<(Endpoint<Bulk, In>, usize)>,
        done: Bell,
    ) -> Self {
        Self { out, back, asked: None, interface, waker: Waker::from(Arc::new(Ring(done))) }
    }
}

fn outcome(status: Result<(), TransferError>) -> Outcome {
    /// `EIO` of a device that was pulled out in the middle.
    const EIO: u32 = 5;
    match status {
        Ok(()) => Outcome::Done,
        Err(TransferError::Stall) => Outcome::Halted,
        Err(TransferError::Cancelled) => Outcome::Canceled,
        Err(TransferError::Disconnected | TransferError::Unknown(EIO)) => Outcome::Gone,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

impl Pipes for Usbfs {
    fn send(&mut self, bytes: Vec<u8>) {
        self.out.submit(Buffer::from(bytes));
    }

    fn sent(&mut self) -> Option<Sent> {
        // To be asked with nothing under way would be a panic.
        if self.out.pending() == 0 {
            return None;
        }
        match self.out.poll_next_complete(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => None,
            Poll::Ready(ended) => Some(Sent {
                count: ended.actual_len,
                outcome: outcome(ended.status),
                bytes: ended.buffer.into_vec(),
            }),
        }
    }

    fn take_back(&mut self) {
        self.out.cancel_all();
    }

    fn listen(&mut self) {
        if let Some((back, length)) = &mut self.back {
            back.submit(Buffer::new(*length));
        }
    }

    fn heard(&mut self) -> Option<(Vec<u8>, Outcome)> {
        let (back, _) = self.back.as_mut().filter(|(back, _)| back.pending() > 0)?;
        match back.poll_next_complete(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => None,
            Poll::Ready(ended) => Some((ended.buffer.into_vec(), outcome(ended.status))),
        }
    }

    fn ask_status(&mut self) {
        let number = self.interface.interface_number();
        self.asked = Some(Box::pin(class::port_status(&self.interface, number)));
    }

    fn status(&mut self) -> Option<Result<u8, Outcome>> {
        let answer = self.asked.as_mut()?;
        let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(&self.waker))
        else {
            return None;
        };
        self.asked = None;
        Some(match answer.map(|bytes| bytes.first().copied()) {
            Ok(Some(status)) => Ok(status),
            // An answer without a byte is none.
            Ok(None) => Err(Outcome::Halted),
            Err(error) => Err(outcome(Err(error))),
        })
    }

    fn clear_halts(&mut self, out: bool, back: bool) -> Work {
        let out = out.then(|| self.out.clear_halt());
        let back = self.back.as_mut().filter(|_| back).map(|(back, _)| back.clear_halt());
        Box::new(move || {
            out.map_or(Ok(()), MaybeFuture::wait).map_err(|error| error.to_string())?;
            back.map_or(Ok(()), MaybeFuture::wait).map_err(|error| error.to_string())
        })
    }

    fn soft_reset(&mut self) -> Work {
        let interface = self.interface.clone();
        Box::new(move || {
            let number = interface.interface_number();
            class::soft_reset(&interface, number)
                .map_err(|error| format!("it does not answer a reset ({error})"))
        })
    }
}

//! What the port needs from the USB stack, so that the tests can stand in for it.
//!
//! Nothing here waits. What has ended is asked for ([`Pipes::sent`], [`Pipes::heard`], [`Pipes::status`]); a bell rings when
//! there may be something, for those who have asked since they began it: whoever begins something asks once before sleeping. What must wait for the device comes back as [`Work`], for a thread of its own.

/// How a transfer has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should.
    Done,
    /// The endpoint halted (it answered STALL): it takes nothing until that is cleared.
    Halted,
    /// It was taken back, or nobody answered in time.
    Canceled,
    /// The device is not there any more.
    Gone,
    /// The bus or the host controller failed: the kernel's words.
    Failed(String),
}

/// A bulk-OUT transfer that has ended: what it was to carry, and how much of that the host controller saw leave.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    pub(super) count: usize,
    pub(super) outcome: Outcome,
}

/// Something that waits for the device: run by an errand's thread.
pub(super) type Work = Box<dyn FnOnce() -> Result<(), String> + Send>;

/// The pipes of one claimed interface.
pub(super) trait Pipes: Send {
    /// Queues a bulk-OUT transfer.
    fn send(&mut self, bytes: Vec<u8>);

    /// The oldest bulk-OUT transfer, if it has ended.
    fn sent(&mut self) -> Option<Sent>;

    /// Takes back every bulk-OUT transfer; each still ends.
    fn take_back(&mut self);

    /// Queues a bulk-IN transfer. One at a time.
    fn listen(&mut self);

    /// The bulk-IN transfer, if it has ended, with what it brought.
    fn heard(&mut self) -> Option<(Vec<u8>, Outcome)>;

    /// Asks for the port status (class 1.1 §4.2.2). One request at a time.
    fn ask_status(&mut self);

    /// The answer, if there is one or will be none. `None` within: the device has none to give.
    fn status(&mut self) -> Option<Result<u8, Outcome>>;

    /// Clears the halt of the endpoints that are named. None of their transfers is under way.
    fn clear_halts(&mut self, out: bool, back: bool) -> Work;

    /// The class's SOFT_RESET (class 1.1 §4.2.3): the device forgets what it holds. A device that does not know the request
    /// has nothing to forget.
    fn soft_reset(&mut self) -> Work;
}

//! A thread that serves a queue of requests, and how it ends.

use std::sync::Mutex;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;

use crate::error::{Error, Result};
use crate::sync::locked;

/// A thread that serves the requests of type `R`. Dropping it lets it finish what was asked, and waits for it.
pub(crate) struct Served<R> {
    requests: Sender<R>,
    stop: fn() -> R,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<R> Served<R> {
    /// Starts `work`, which takes its requests from the other end of `requests` and returns after the one that `stop` makes.
    pub(crate) fn start(
        name: &'static str,
        requests: Sender<R>,
        stop: fn() -> R,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(work)
            .map_err(Error::disk("starting the thread", name))?;
        Ok(Self { requests, stop, thread: Mutex::new(Some(thread)) })
    }

    /// Lets the thread finish what was asked, and waits for it.
    pub(crate) fn stop(&self) {
        let _ = self.requests.send((self.stop)());
        if let Some(thread) = locked(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl<R> Drop for Served<R> {
    fn drop(&mut self) {
        self.stop();
    }
}

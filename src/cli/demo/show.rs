//! What the demo shows: a line for each thing that happens, a bar below them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use despool_hw::sim::Event as SimEvent;

use crate::cli::output::say;
use crate::cli::progress::Bar;

/// The terminal, shared by all who have something to say.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<Inner>>);

struct Inner {
    begun: Instant,
    bar: Bar,
    total: u64,
}

impl Screen {
    pub(super) fn new(total: u64) -> Self {
        let bar = Bar::new("           printing");
        Self(Arc::new(Mutex::new(Inner { begun: Instant::now(), bar, total })))
    }

    pub(super) fn line(&self, text: String) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.bar.clear();
        // The comparison at the end counts, not who looks on.
        let _ = if text.is_empty() {
            say("")
        } else {
            say(format_args!("{:8.3} s  {text}", inner.begun.elapsed().as_secs_f64()))
        };
    }

    pub(super) fn progress(&self, done: u64, note: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total = inner.total;
        inner.bar.show(done, Some(total), note);
    }
}

/// What happens at the device, for people; `None` for what is too small to be told.
pub(super) fn describe(event: &SimEvent) -> Option<String> {
    match event {
        SimEvent::Changed(condition) if condition.paper_out => {
            Some("the last sheet is gone".to_owned())
        }
        SimEvent::Changed(condition) if condition.cover_open => {
            Some("somebody opens the cover".to_owned())
        }
        SimEvent::Changed(_) => Some("somebody puts things right".to_owned()),
        _ => None,
    }
}

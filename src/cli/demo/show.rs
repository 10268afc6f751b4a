//! What the demo shows: a line for each thing that happens, a bar below them.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix::prelude::*;
use despool_hw::sim::Event as SimEvent;

use crate::cli::progress::Bar;
use crate::event::{Events, PortChange, PortEvent, What};
use crate::provider::{JobView, PrinterView};

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
        if text.is_empty() {
            println!();
        } else {
            println!("{:8.3} s  {text}", inner.begun.elapsed().as_secs_f64());
        }
    }

    fn progress(&self, done: u64, note: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total = inner.total;
        inner.bar.show(done, Some(total), note);
    }
}

/// Shows the server's events as they come.
pub(super) struct Watch {
    screen: Screen,
    job: RefCell<Option<String>>,
}

impl Watch {
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, job: RefCell::default() }
    }

    fn job(&self, view: &JobView) {
        let reasons = if view.reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", view.reasons.join(", "))
        };
        let message =
            if view.message.is_empty() { String::new() } else { format!(": {}", view.message) };
        let line = format!("job {}       {}{reasons}{message}", view.shadow.id, view.state.name());
        if self.job.borrow().as_ref() != Some(&line) {
            self.screen.line(line.clone());
            *self.job.borrow_mut() = Some(line);
        }
        let pages = view.shadow.confirmed.pages;
        let note = if pages > 0 { format!("{pages} pages confirmed") } else { String::new() };
        self.screen.progress(view.played().accepted, &note);
    }

    fn printer(&self, view: &PrinterView) {
        let reasons =
            if view.reasons.is_empty() { "none".to_owned() } else { view.reasons.join(", ") };
        let message = if view.message.is_empty() {
            String::new()
        } else {
            format!(", it says \"{}\"", view.message)
        };
        self.screen.line(format!("printer     {}, reasons: {reasons}{message}", view.state.name()));
    }

    fn port(&self, event: &PortEvent) {
        match &event.what {
            PortChange::Attached { .. } => {
                self.screen.line(format!("port        attached: {}", event.port));
            }
            PortChange::Detached { why } => {
                self.screen.line(format!("port        detached: {why}"));
            }
            PortChange::Line(_) | PortChange::BackChannel { .. } => {}
        }
    }
}

impl Actor for Watch {
    type Context = Context<Self>;
}

impl Handler<Events> for Watch {
    type Result = ();

    fn handle(&mut self, events: Events, _: &mut Self::Context) {
        for event in events.take().events {
            match event.what {
                What::Job(view) => self.job(&view),
                What::Printer(view) => self.printer(&view),
                What::Port(port) => self.port(&port),
            }
        }
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

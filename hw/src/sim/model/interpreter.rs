//! The language a printer speaks, whichever it is.

use std::time::Instant;

use super::bench::Bench;
use super::escpos::{Escpos, status};
use super::pjl::Pjl;
use super::realtime::Ask;
use super::zpl::Zpl;
use crate::sim::Language;

#[derive(Debug)]
pub(super) enum Interpreter {
    Plain,
    Pjl(Box<Pjl>),
    Escpos(Escpos),
    Zpl(Zpl),
}

impl Interpreter {
    /// The language as it is after power-on.
    pub(super) fn new(language: Language) -> Self {
        match language {
            Language::Plain => Self::Plain,
            Language::Pjl | Language::Ieee1284_4 => Self::Pjl(Box::default()),
            Language::Escpos => Self::Escpos(Escpos::default()),
            Language::Zpl => Self::Zpl(Zpl::default()),
        }
    }

    /// Bytes came in; they may have to wait before they are eaten.
    pub(super) fn arrive(&mut self, bytes: &[u8]) {
        if let Self::Zpl(zpl) = self {
            zpl.arrive(bytes);
        }
    }

    /// Works on the oldest bytes; how many were used up.
    pub(super) fn eat(&mut self, bytes: &[u8], bench: &mut Bench<'_>) -> usize {
        match self {
            Self::Plain if bench.blocked() => 0,
            Self::Plain => bytes.len(),
            Self::Pjl(pjl) => pjl.eat(bytes, bench),
            Self::Escpos(escpos) => escpos.eat(bytes, bench),
            Self::Zpl(zpl) => zpl.eat(bytes, bench),
        }
    }

    /// Answers a real-time request.
    pub(super) fn answer(&mut self, ask: Ask, bench: &mut Bench<'_>) {
        match (self, ask) {
            (_, Ask::Status(n)) => bench.say(&[status(n, bench.condition)]),
            (Self::Zpl(zpl), ask) => zpl.answer(ask, bench),
            _ => {}
        }
    }

    /// The sensors changed.
    pub(super) fn changed(&mut self, bench: &mut Bench<'_>) {
        match self {
            Self::Plain | Self::Zpl(_) => {}
            Self::Pjl(pjl) => pjl.changed(bench),
            Self::Escpos(escpos) => escpos.changed(bench),
        }
    }

    /// The buffer was emptied, its content forgotten.
    pub(super) fn forget(&mut self) {
        if let Self::Zpl(zpl) = self {
            zpl.forget();
        }
    }

    /// The job's last byte was eaten.
    pub(super) fn end_of_job(&mut self, bench: &mut Bench<'_>) {
        if let Self::Pjl(pjl) = self {
            pjl.end_of_job(bench);
        }
    }

    /// Does what the clock asks for; `idle`: nothing waits in the buffer.
    pub(super) fn tick(&mut self, idle: bool, bench: &mut Bench<'_>) {
        if let Self::Pjl(pjl) = self {
            pjl.tick(idle, bench);
        }
    }

    /// When the clock will ask for something.
    pub(super) fn next_event(&self, idle: bool, online: bool) -> Option<Instant> {
        match self {
            Self::Pjl(pjl) => pjl.next_event(idle, online),
            _ => None,
        }
    }
}

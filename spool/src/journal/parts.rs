//! The parts that records are made of: tickets, changes, shadows. Layout: see [`super::record`].

use std::sync::Arc;

use super::fields::{Malformed, Reader, put_text};
use crate::JobId;
use crate::shadow::{
    Cause, Change, Confirmed, Deed, DocumentState, Hold, Played, Recovery, Shadow, State, Ticket,
};

pub(crate) fn put_id(out: &mut Vec<u8>, id: JobId) {
    out.extend(id.number().to_le_bytes());
}

pub(crate) fn id(from: &mut Reader<'_>) -> Result<JobId, Malformed> {
    JobId::new(from.u32()?).ok_or(Malformed::Value("job id"))
}

pub(crate) fn put_option<T: ?Sized>(
    out: &mut Vec<u8>,
    value: Option<&T>,
    put: impl FnOnce(&mut Vec<u8>, &T),
) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

pub(crate) fn put_ticket(out: &mut Vec<u8>, ticket: &Ticket) {
    for text in [
        &*ticket.printer,
        &ticket.title,
        &ticket.user,
        &ticket.host,
        &ticket.format,
        &ticket.datatype,
    ] {
        put_text(out, text);
    }
    out.extend(ticket.copies.to_le_bytes());
    out.push(ticket.priority);
    match ticket.hold {
        Hold::No => out.push(0),
        Hold::Indefinite => out.push(1),
        Hold::Until(ms) => {
            out.push(2);
            out.extend(ms.to_le_bytes());
        }
    }
    out.extend(ticket.submitted_ms.to_le_bytes());
    out.push(u8::try_from(ticket.extra.len()).unwrap_or(u8::MAX));
    for (name, value) in ticket.extra.iter().take(usize::from(u8::MAX)) {
        put_text(out, name);
        put_text(out, value);
    }
}

pub(crate) fn ticket(from: &mut Reader<'_>) -> Result<Ticket, Malformed> {
    let mut ticket = Ticket::new(from.text()?);
    ticket.title = from.text()?.into();
    ticket.user = from.text()?.into();
    ticket.host = from.text()?.into();
    ticket.format = from.text()?.into();
    ticket.datatype = from.text()?.into();
    ticket.copies = from.u16()?;
    ticket.priority = from.u8()?;
    ticket.hold = match from.u8()? {
        0 => Hold::No,
        1 => Hold::Indefinite,
        2 => Hold::Until(from.u64()?),
        _ => return Err(Malformed::Value("hold")),
    };
    ticket.submitted_ms = from.u64()?;
    for _ in 0..from.u8()? {
        ticket.extra.push((from.text()?.into(), from.text()?.into()));
    }
    Ok(ticket)
}

/// The end of a job: a tag, when, and why.
fn put_ended(out: &mut Vec<u8>, tag: u8, at_ms: u64, why: &str) {
    out.push(tag);
    out.extend(at_ms.to_le_bytes());
    put_text(out, why);
}

pub(crate) fn put_change(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Hold { why } => {
            out.push(1);
            put_text(out, why);
        }
        Change::Release => out.push(2),
        Change::Prepare => out.push(3),
        Change::Start { at_ms } => {
            out.push(4);
            out.extend(at_ms.to_le_bytes());
        }
        Change::Recover(recovery) => {
            out.push(5);
            put_recovery(out, recovery);
        }
        Change::Cancel { at_ms, why } => put_ended(out, 6, *at_ms, why),
        Change::Abort { at_ms, why } => put_ended(out, 7, *at_ms, why),
        Change::Complete { at_ms } => {
            out.push(8);
            out.extend(at_ms.to_le_bytes());
        }
        Change::Reprint => out.push(9),
        Change::Edit(ticket) => {
            out.push(10);
            put_ticket(out, ticket);
        }
        Change::Confirm(confirmed) => {
            out.push(11);
            put_confirmed(out, *confirmed);
        }
    }
}

pub(crate) fn change(from: &mut Reader<'_>) -> Result<Change, Malformed> {
    Ok(match from.u8()? {
        1 => Change::Hold { why: from.text()?.into() },
        2 => Change::Release,
        3 => Change::Prepare,
        4 => Change::Start { at_ms: from.u64()? },
        5 => Change::Recover(recovery(from)?),
        6 => Change::Cancel { at_ms: from.u64()?, why: from.text()?.into() },
        7 => Change::Abort { at_ms: from.u64()?, why: from.text()?.into() },
        8 => Change::Complete { at_ms: from.u64()? },
        9 => Change::Reprint,
        10 => Change::Edit(ticket(from)?.into()),
        11 => Change::Confirm(confirmed(from)?),
        _ => return Err(Malformed::Value("change")),
    })
}

fn put_recovery(out: &mut Vec<u8>, recovery: &Recovery) {
    out.push(match recovery.cause {
        Cause::Crash => 1,
        Cause::PowerLoss => 2,
        Cause::DeviceGone => 3,
        Cause::ActorDied => 4,
        Cause::Parked => 5,
    });
    out.push(match recovery.deed {
        Deed::Resumed => 1,
        Deed::Restarted => 2,
        Deed::Held => 3,
    });
    out.extend(recovery.maybe_on_paper.to_le_bytes());
    out.extend(recovery.at_ms.to_le_bytes());
}

fn recovery(from: &mut Reader<'_>) -> Result<Recovery, Malformed> {
    let cause = match from.u8()? {
        1 => Cause::Crash,
        2 => Cause::PowerLoss,
        3 => Cause::DeviceGone,
        4 => Cause::ActorDied,
        5 => Cause::Parked,
        _ => return Err(Malformed::Value("cause")),
    };
    let deed = match from.u8()? {
        1 => Deed::Resumed,
        2 => Deed::Restarted,
        3 => Deed::Held,
        _ => return Err(Malformed::Value("deed")),
    };
    Ok(Recovery { cause, deed, maybe_on_paper: from.u64()?, at_ms: from.u64()? })
}

pub(crate) fn put_played(out: &mut Vec<u8>, played: Played) {
    out.extend(played.accepted.to_le_bytes());
    out.extend(played.offered.to_le_bytes());
}

pub(crate) fn played(from: &mut Reader<'_>) -> Result<Played, Malformed> {
    Ok(Played { accepted: from.u64()?, offered: from.u64()? })
}

fn put_confirmed(out: &mut Vec<u8>, confirmed: Confirmed) {
    out.extend(confirmed.bytes.to_le_bytes());
    out.extend(confirmed.pages.to_le_bytes());
}

fn confirmed(from: &mut Reader<'_>) -> Result<Confirmed, Malformed> {
    Ok(Confirmed { bytes: from.u64()?, pages: from.u32()? })
}

pub(crate) fn put_shadow(out: &mut Vec<u8>, shadow: &Shadow) {
    put_id(out, shadow.id);
    put_ticket(out, &shadow.ticket);
    match shadow.document {
        DocumentState::Receiving => out.push(1),
        DocumentState::Whole { bytes, crc32c } => {
            out.push(2);
            out.extend(bytes.to_le_bytes());
            out.extend(crc32c.to_le_bytes());
        }
        DocumentState::None { bytes } => {
            out.push(3);
            out.extend(bytes.to_le_bytes());
        }
    }
    put_state(out, &shadow.state);
    out.extend(shadow.started_ms.to_le_bytes());
    out.push(u8::from(shadow.prepared));
    put_played(out, shadow.played);
    put_confirmed(out, shadow.confirmed);
    out.extend(shadow.attempts.to_le_bytes());
    put_option(out, shadow.recovery.as_deref(), put_recovery);
}

pub(crate) fn shadow(from: &mut Reader<'_>) -> Result<Shadow, Malformed> {
    Ok(Shadow {
        id: id(from)?,
        ticket: Arc::new(ticket(from)?),
        document: match from.u8()? {
            1 => DocumentState::Receiving,
            2 => DocumentState::Whole { bytes: from.u64()?, crc32c: from.u32()? },
            3 => DocumentState::None { bytes: from.u64()? },
            _ => return Err(Malformed::Value("document")),
        },
        state: state(from)?,
        started_ms: from.u64()?,
        prepared: from.bool()?,
        played: played(from)?,
        confirmed: confirmed(from)?,
        attempts: from.u16()?,
        recovery: from.option(recovery)?.map(Box::new),
    })
}

fn put_state(out: &mut Vec<u8>, state: &State) {
    match state {
        State::Pending => out.push(1),
        State::Held { why } => {
            out.push(2);
            put_text(out, why);
        }
        State::Processing => out.push(3),
        State::Canceled { at_ms, why } => put_ended(out, 4, *at_ms, why),
        State::Aborted { at_ms, why } => put_ended(out, 5, *at_ms, why),
        State::Completed { at_ms } => {
            out.push(6);
            out.extend(at_ms.to_le_bytes());
        }
    }
}

fn state(from: &mut Reader<'_>) -> Result<State, Malformed> {
    Ok(match from.u8()? {
        1 => State::Pending,
        2 => State::Held { why: from.text()?.into() },
        3 => State::Processing,
        4 => State::Canceled { at_ms: from.u64()?, why: from.text()?.into() },
        5 => State::Aborted { at_ms: from.u64()?, why: from.text()?.into() },
        6 => State::Completed { at_ms: from.u64()? },
        _ => return Err(Malformed::Value("state")),
    })
}

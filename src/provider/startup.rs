//! Jobs that were cut off by the end of the last server: what becomes of them, before anything is played.

use despool_spool::{Change, Played, Recovery, Report, Shadow, Spool};

use super::now_ms;
use super::recovery::{CutOff, Verdicts, keeps_place};
use crate::config::{Config, Datatype, Recover};
use crate::processor::{PlaySource, total_as_played};

/// Applies each printer's `recover` policy to the jobs that the spool found cut off.
pub fn recover_interrupted(spool: &Spool, report: &Report, config: &Config) {
    for interrupted in &report.interrupted {
        let Ok(shadow) = spool.job(interrupted.id) else { continue };
        let printer = config
            .printers
            .iter()
            .find(|printer| printer.name.eq_ignore_ascii_case(&shadow.ticket.printer));
        // Without its printer nobody knows what the device did: a person has to look.
        let policy = printer.map_or(Recover::Hold, |printer| printer.recover);
        let cut_off = CutOff {
            cause: interrupted.cause,
            played: shadow.played,
            certain: interrupted.certain,
            total: total(spool, &shadow),
            keeps_place: printer.is_some_and(|printer| keeps_place(&printer.port)),
        };
        settle(spool, &shadow, cut_off, policy);
    }
}

fn settle(spool: &Spool, shadow: &Shadow, cut_off: CutOff, policy: Recover) {
    let verdict = cut_off.verdict(policy);
    let Played { accepted, offered } = cut_off.played;
    tracing::warn!(
        job = %shadow.id, printer = %shadow.ticket.printer, cause = ?cut_off.cause, accepted, offered,
        deed = ?verdict.deed, maybe_on_paper = verdict.maybe_on_paper,
        "a job had been cut off"
    );
    let change = match verdict.deed {
        Verdicts::Done => Change::Complete { at_ms: now_ms() },
        Verdicts::Recover(deed) => Change::Recover(Recovery {
            cause: cut_off.cause,
            deed,
            maybe_on_paper: verdict.maybe_on_paper,
            at_ms: now_ms(),
        }),
    };
    if let Err(error) = spool.update(shadow.id, change, None) {
        tracing::error!(job = %shadow.id, %error, "what becomes of a job could not be recorded");
    }
}

/// How long a job is as played; `None` where that cannot be said.
pub(super) fn total(spool: &Spool, shadow: &Shadow) -> Option<u64> {
    let datatype = Datatype::named(&shadow.ticket.datatype)?;
    let document = spool.document(shadow.id).ok()?;
    total_as_played(&PlaySource::Spooled(document), datatype, shadow.ticket.copies)
}

use super::*;

fn job() -> Shadow {
    let mut job = Shadow::receiving(JobId::new(7).unwrap(), Ticket::new("label"));
    job.document = DocumentState::Whole { bytes: 10, crc32c: 0 };
    job
}

#[test]
fn the_table_of_states() {
    let why = || "x".into();
    let changes = [
        Change::Hold { why: why() },
        Change::Release,
        Change::Start { at_ms: 1 },
        Change::Cancel { at_ms: 1, why: why() },
        Change::Complete { at_ms: 1 },
        Change::Reprint,
        Change::Edit(Ticket::new("other").into()),
    ];
    let states = [
        (State::Pending, "H-SC--E"),
        (State::Held { why: why() }, "-R-C--E"),
        (State::Processing, "---CF--"),
        (State::Canceled { at_ms: 1, why: why() }, "-----P-"),
        (State::Aborted { at_ms: 1, why: why() }, "-----P-"),
        (State::Completed { at_ms: 1 }, "-----P-"),
    ];
    for (state, allowed) in states {
        for (change, letter) in changes.iter().zip(allowed.chars()) {
            let mut job = Shadow { state: state.clone(), ..job() };
            assert_eq!(job.apply(change).is_ok(), letter != '-', "{state:?} {change:?}");
        }
    }
}

#[test]
fn a_job_without_a_document_is_not_printed_again() {
    let mut job = job();
    job.document = DocumentState::None { bytes: 10 };
    job.state = State::Completed { at_ms: 1 };
    let refused = job.apply(&Change::Reprint).unwrap_err();
    assert_eq!(refused.to_string(), "job 7 is completed: it cannot be printed again");
}

#[test]
fn recovery_keeps_or_forgets_the_offset() {
    let recover =
        |deed| Change::Recover(Recovery { cause: Cause::Crash, deed, maybe_on_paper: 5, at_ms: 9 });
    let cut_off =
        || Shadow { state: State::Processing, played: Played { accepted: 5, offered: 8 }, ..job() };

    let mut resumed = cut_off();
    resumed.apply(&recover(Deed::Resumed)).unwrap();
    assert_eq!(
        (resumed.played, &resumed.state),
        (Played { accepted: 5, offered: 5 }, &State::Pending)
    );

    let mut restarted = cut_off();
    restarted.apply(&recover(Deed::Restarted)).unwrap();
    assert_eq!(restarted.played, Played::default());

    let mut held = cut_off();
    held.apply(&recover(Deed::Held)).unwrap();
    assert_eq!(held.played, Played { accepted: 5, offered: 8 });
    assert_eq!(held.state.name(), "pending-held");
}

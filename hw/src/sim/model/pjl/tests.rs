//! Golden dialogues with the PJL printer.

use std::time::Duration;

use super::*;
use crate::sim::Condition;
use crate::sim::event::Log;
use crate::sim::model::back::Back;

struct Rig {
    pjl: Pjl,
    condition: Condition,
    now: Instant,
    back: Back,
    log: Log,
    pages: u64,
}

impl Rig {
    fn new() -> Self {
        let (back, log) = (Back::default(), Log::default());
        let now = Instant::now();
        Self { pjl: Pjl::default(), condition: Condition::default(), now, back, log, pages: 0 }
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut Pjl, &mut Bench<'_>) -> R) -> R {
        let Self { pjl, condition, now, back, log, pages } = self;
        let (condition, now) = (*condition, *now);
        act(pjl, &mut Bench { condition, now, buffer_full: false, back, log, pages })
    }

    /// Feeds bytes; how many were used up.
    fn eat(&mut self, bytes: &[u8]) -> usize {
        self.with(|pjl, bench| pjl.eat(bytes, bench))
    }

    /// What the printer said since the last look.
    fn said(&mut self) -> String {
        let mut said = Vec::new();
        self.back.drain(&mut said);
        said.escape_ascii().to_string().replace("\\r\\n", "|").replace("\\\"", "\"")
    }

    fn tell(&mut self, text: &str) -> String {
        let bytes = text.replace('^', "\x1b%-12345X");
        assert_eq!(self.eat(bytes.as_bytes()), bytes.len());
        self.said()
    }

    fn set(&mut self, change: impl FnOnce(&mut Condition)) -> String {
        change(&mut self.condition);
        self.with(Pjl::changed);
        self.said()
    }
}

#[test]
fn answers_questions() {
    let mut rig = Rig::new();
    assert_eq!(
        rig.tell("^@PJL ECHO 17:45 x\r\n@PJL INFO STATUS\r\n@PJL INFO ID\n@PJL INFO PAGECOUNT\n^"),
        "@PJL ECHO 17:45 x|\\x0c@PJL INFO STATUS|CODE=10001|DISPLAY=\"Ready\"|ONLINE=TRUE|\\x0c\
         @PJL INFO ID|\"despool simulated PJL printer\"|\\x0c@PJL INFO PAGECOUNT|PAGECOUNT=0|\\x0c"
    );
    rig.condition.toner_used = 56;
    assert_eq!(rig.tell("@PJL INFO SUPPLIES\n"), "@PJL INFO SUPPLIES|TONER=44|\\x0c");
    assert_eq!(
        rig.tell("^@PJL USTATUS PAGE=ON\n@PJL USTATUS TIMED = 5\n@PJL INFO USTATUS\n^"),
        "@PJL INFO USTATUS|DEVICE=OFF [3 ENUMERATED]|\\tOFF|\\tON|\\tVERBOSE|JOB=OFF [2 ENUMERATED]|\\tOFF|\\tON|\
         PAGE=ON [2 ENUMERATED]|\\tOFF|\\tON|TIMED=5 [2 RANGE]|\\t5|\\t300|\\x0c"
    );
}

#[test]
fn reports_a_job_and_its_pages() {
    let mut rig = Rig::new();
    let said = rig.tell(
        "^@PJL USTATUS JOB=ON\r\n@PJL USTATUS PAGE=ON\r\n@PJL JOB NAME = \"J\"\r\n\
         ^@PJL ENTER LANGUAGE = PCL\r\n\x1bEone\x0ctwo\x0c\x1bE^@PJL EOJ NAME = \"K\"\r\n^",
    );
    assert_eq!(
        said,
        "@PJL USTATUS JOB|START|NAME=\"J\"|\\x0c@PJL USTATUS PAGE|1|\\x0c@PJL USTATUS PAGE|2|\\x0c\
         @PJL USTATUS JOB|END|NAME=\"K\"|PAGES=2|\\x0c"
    );
    assert_eq!(rig.pages, 2);
    assert_eq!(rig.tell("^@PJL EOJ\n^"), "", "an EOJ without a JOB is ignored");
}

#[test]
fn data_after_the_last_form_feed_is_a_page_and_a_range_limits_what_is_printed() {
    let mut rig = Rig::new();
    let said =
        rig.tell("^@PJL USTATUS JOB=ON\n@PJL JOB START=2 END=3\n^1\x0c2\x0c3\x0c4^@PJL EOJ\n^");
    assert!(said.ends_with("END|PAGES=2|\\x0c"), "{said}");
    assert_eq!(rig.pages, 4);
}

#[test]
fn tells_when_its_state_changes_and_only_then() {
    let mut rig = Rig::new();
    assert_eq!(rig.set(|it| it.offline = true), "", "nobody asked");
    rig.set(|it| it.offline = false);
    rig.tell("^@PJL USTATUS DEVICE = ON\r\n^");
    let open = "@PJL USTATUS DEVICE|CODE=40021|DISPLAY=\"Cover open\"|ONLINE=FALSE|\\x0c";
    assert_eq!(rig.set(|it| it.cover_open = true), open);
    assert_eq!(rig.set(|it| it.paper_out = true), "", "the cover is more urgent");
    assert!(rig.set(|it| it.cover_open = false).contains("CODE=41002"));
    assert!(rig.set(|it| it.paper_out = false).contains("CODE=10001"));
    assert!(rig.tell("x").contains("CODE=10023"));
    assert!(rig.tell("^").contains("CODE=10001"));
    rig.tell("@PJL USTATUSOFF\n^");
    assert_eq!(rig.set(|it| it.cover_open = true), "");
}

#[test]
fn commands_pass_and_data_waits_while_nothing_can_be_printed() {
    let mut rig = Rig::new();
    rig.condition.paper_out = true;
    assert!(rig.tell("^@PJL INFO STATUS\n^").contains("CODE=41002"));
    assert_eq!(rig.eat(b"data"), 0);
    assert_eq!(rig.eat(b"\x1b%-1"), 0, "half a UEL waits, it may be data");
    assert_eq!(rig.eat(b"\x1bE"), 0);
    assert_eq!(rig.eat(b"\x1b%-12345X@PJL ENTER LANGUAGE=PCL\ndata"), 33);
    assert_eq!(rig.eat(b"data"), 0);
    rig.condition.paper_out = false;
    assert_eq!((rig.eat(b"data\x0c"), rig.pages), (5, 1));
}

#[test]
fn faulty_commands_are_reported_to_developers_only() {
    let mut rig = Rig::new();
    assert_eq!(rig.tell("^@PJL ECO wrong\n^"), "");
    rig.tell("@PJL USTATUS DEVICE = VERBOSE\n");
    let code = |code: u32| format!("@PJL USTATUS DEVICE|CODE={code}|\\x0c");
    assert_eq!(rig.tell("@PJL ECO wrong\n"), code(20002), "Brother command reference 7.6.1");
    assert_eq!(rig.tell("@PJLX\n"), code(20001));
    assert_eq!(rig.tell("@PJL ECHO\x01\n"), code(20006));
    assert_eq!(rig.tell("@PJL ECHO^"), code(20006));
    let long = format!("@PJL ECHO {}\n", "x".repeat(SIM_PJL_LINE_BYTES));
    assert_eq!(rig.tell(&long), code(20005));
    assert_eq!(rig.tell("@PJL ECHO a\n"), "@PJL ECHO a|\\x0c");
}

#[test]
fn a_line_that_is_not_pjl_is_data() {
    let mut rig = Rig::new();
    rig.tell("^@PJL SET COPIES=1\r\n@PRINT\x0c");
    assert_eq!((rig.pages, rig.pjl.mode), (1, Mode::Data));
    rig.tell("^\r\n@PJL ECHO x\n^hello");
    assert_eq!(rig.pjl.mode, Mode::Data);
    rig.with(Pjl::end_of_job);
    assert_eq!(rig.pages, 2);
}

#[test]
fn status_by_the_clock() {
    let mut rig = Rig::new();
    let start = rig.now;
    rig.tell("^@PJL USTATUS TIMED = 10\n^");
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(rig.pjl.next_event(true, true), Some(at(10)));
    rig.with(|pjl, bench| pjl.tick(true, bench));
    assert_eq!(rig.said(), "");
    rig.now = at(10);
    rig.with(|pjl, bench| pjl.tick(true, bench));
    assert_eq!(rig.said(), "@PJL USTATUS TIMED|CODE=10001|DISPLAY=\"Ready\"|ONLINE=TRUE|\\x0c");
    rig.now = at(45);
    rig.with(|pjl, bench| pjl.tick(true, bench));
    assert_eq!(
        (rig.said().matches("TIMED").count(), rig.pjl.next_event(true, true)),
        (1, Some(at(55)))
    );
    rig.tell("^@PJL USTATUS TIMED = 0\n^");
    assert_eq!(rig.pjl.next_event(true, true), None);
}

#[test]
fn a_job_whose_data_stops_coming_ends_by_itself() {
    let mut rig = Rig::new();
    rig.tell("^@PJL USTATUS DEVICE=ON\n^text");
    let due = rig.now + SIM_PJL_TIMEOUT;
    assert_eq!(rig.pjl.next_event(true, true), Some(due));
    assert_eq!(rig.pjl.next_event(false, true), None);
    assert_eq!(rig.pjl.next_event(true, false), None);
    rig.now = due;
    rig.with(|pjl, bench| pjl.tick(true, bench));
    assert_eq!(
        (rig.said(), rig.pages),
        ("@PJL USTATUS DEVICE|CODE=10001|DISPLAY=\"Ready\"|ONLINE=TRUE|\\x0c".into(), 1)
    );
    rig.tell("^@PJL JOB\n^text");
    assert_eq!(rig.pjl.next_event(true, true), Some(rig.now + SIM_PJL_JOB_TIMEOUT));
}

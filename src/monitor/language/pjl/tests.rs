use super::*;
use crate::monitor::language::Reason;
use despool_spool::JobId;

fn hear(pjl: &mut Pjl, bytes: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    pjl.heard(bytes, Instant::now(), &mut |finding| found.push(finding));
    found
}

fn note() -> JobNote {
    JobNote { job: JobId::new(42).unwrap(), title: "Le\"tter\u{e9}\r\n".into(), user: "me".into() }
}

#[test]
fn what_is_said_byte_by_byte() {
    let greeting = "\x1b%-12345X@PJL\r\n@PJL COMMENT despool\r\n@PJL USTATUS DEVICE = ON\r\n@PJL USTATUS JOB = ON\r\n\
                    @PJL USTATUS PAGE = ON\r\n@PJL INFO STATUS\r\n\x1b%-12345X";
    assert_eq!(Pjl::new(false).greet(), greeting.as_bytes());
    let mut pjl = Pjl::new(true);
    let beginning = "\x1b%-12345X@PJL JOB NAME = \"despool-42\" DISPLAY = \"Le?tter???\"\r\n";
    assert_eq!(pjl.begin(&note()), beginning.as_bytes());
    assert_eq!(pjl.end(&note()), b"\x1b%-12345X@PJL EOJ NAME = \"despool-42\"\r\n\x1b%-12345X");
    assert_eq!(pjl.canceled(), b"\x1b%-12345X");
}

#[test]
fn without_an_envelope_not_one_byte_is_added_to_a_job() {
    let mut pjl = Pjl::new(false);
    assert!(pjl.begin(&note()).is_empty());
    assert!(pjl.end(&note()).is_empty());
}

#[test]
fn what_is_heard_byte_by_byte() {
    let status = |reasons: &[Reason], message: &str| {
        Finding::Status(Status { reasons: reasons.to_vec(), message: message.into() })
    };
    let cases: [(&str, Vec<Finding>); 10] = [
        (
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nDISPLAY=\"Ready\"\r\nONLINE=TRUE\r\n\x0c",
            vec![status(&[], "Ready")],
        ),
        (
            "@PJL USTATUS DEVICE\r\nCODE=41002\r\nDISPLAY=\"Load A4\"\r\nONLINE=FALSE\r\n\x0c",
            vec![status(&[Reason::stops("media-empty")], "Load A4")],
        ),
        (
            "@PJL INFO STATUS \nCODE = 40021\nCODE=10006\nONLINE = FALSE\n\x0c",
            vec![status(&[Reason::stops("cover-open"), Reason::warns("toner-low")], "")],
        ),
        (
            "@PJL USTATUS DEVICE\r\nCODE=10001\r\nONLINE=FALSE\r\n\x0c",
            vec![status(&[Reason::stops("offline")], "")],
        ),
        ("@PJL USTATUS PAGE\r\n7\r\n\x0c", vec![Finding::Pages(7)]),
        ("@PJL USTATUS JOB\r\nSTART\r\nNAME=\"despool-42\"\r\n\x0c", vec![]),
        (
            "@PJL USTATUS JOB\r\nEND\r\nNAME=\"despool-42\"\r\nPAGES=3\r\n\x0c",
            vec![Finding::Printed { job: JobId::new(42), pages: Some(3) }],
        ),
        (
            "@PJL USTATUS JOB\r\nEND\r\nNAME=\"other\"\r\n\x0c",
            vec![Finding::Printed { job: None, pages: None }],
        ),
        ("@PJL INFO ID\r\n\"LASERJET 4\"\r\n\x0c", vec![Finding::Identity("LASERJET 4".into())]),
        (
            "\0\u{1}garbage\x0c\x0c@PJL ECHO x\r\n\x0cxx@PJL USTATUS PAGE\r\n1\r\n\x0c",
            vec![Finding::Pages(1)],
        ),
    ];
    for (bytes, expected) in &cases {
        assert_eq!(hear(&mut Pjl::new(false), bytes.as_bytes()), *expected, "{bytes}");
    }
    // All of it at once, and byte by byte, means the same.
    let all: String = cases.iter().map(|(bytes, _)| *bytes).collect();
    let expected: Vec<Finding> = cases.iter().flat_map(|(_, expected)| expected.clone()).collect();
    assert_eq!(hear(&mut Pjl::new(false), all.as_bytes()), expected);
    let mut pjl = Pjl::new(false);
    let bytewise: Vec<Finding> =
        all.as_bytes().chunks(1).flat_map(|byte| hear(&mut pjl, byte)).collect();
    assert_eq!(bytewise, expected);
}

#[test]
fn an_endless_message_is_skipped_and_the_next_understood() {
    let mut pjl = Pjl::new(false);
    assert!(hear(&mut pjl, &[b'x'; 3 * PJL_MESSAGE_BYTES]).is_empty());
    assert!(pjl.message.len() <= PJL_MESSAGE_BYTES);
    assert_eq!(hear(&mut pjl, b"\x0c@PJL USTATUS PAGE\r\n2\r\n\x0c"), [Finding::Pages(2)]);
    let endless = format!("@PJL USTATUS PAGE\r\n1{}\r\n\x0c", " ".repeat(2 * PJL_MESSAGE_BYTES));
    assert!(hear(&mut pjl, endless.as_bytes()).is_empty());
}

#[test]
fn a_message_behind_any_amount_of_noise_is_understood() {
    for noise in (PJL_MESSAGE_BYTES - 30)..(PJL_MESSAGE_BYTES + 30) {
        let mut said = vec![b'@'; 2 * noise];
        said.extend(GOOD);
        assert_eq!(hear(&mut Pjl::new(false), &said), [Finding::Pages(7)], "{noise}");
    }
}

const GOOD: &[u8] = b"@PJL USTATUS PAGE\r\n7\r\n\x0c";

/// Pieces that random messages are put together from: some of them are right.
const PIECES: [&[u8]; 24] = [
    b"@PJL ",
    b"@PJL USTATUS DEVICE\r\n",
    b"@PJL USTATUS JOB\r\n",
    b"@PJL USTATUS PAGE\r\n",
    b"@PJL INFO STATUS\r\n",
    b"@PJL INFO ID\r\n",
    b"USTATUS TIMED",
    b"CODE=10001",
    b"CODE = 41002\n",
    b"CODE=99999999999\r\n",
    b"DISPLAY=\"",
    b"DISPLAY=\"READY\"\r\n",
    b"ONLINE=FALSE\r\n",
    b"END\r\n",
    b"NAME=\"despool-42\"\r\n",
    b"NAME=\"despool-\"\r\n",
    b"PAGES=",
    b"4294967296\r\n",
    b"3\r\n",
    b"\"",
    b"\r\n",
    b"\x0c",
    b"\xff\xe2\x82",
    b"\x1b%-12345X",
];

/// However it comes, it means the same; whatever came before, the next message is understood; what is kept is bounded.
fn holds(said: &[u8]) {
    let (mut whole, mut bytewise) = (Pjl::new(false), Pjl::new(false));
    let found = hear(&mut whole, said);
    let again: Vec<Finding> = said.chunks(1).flat_map(|byte| hear(&mut bytewise, byte)).collect();
    assert_eq!(found, again);
    assert!(whole.message.len() <= PJL_MESSAGE_BYTES);
    assert_eq!(hear(&mut whole, GOOD).last(), Some(&Finding::Pages(7)));
}

#[test]
fn fuzz_pjl_status() {
    bolero::check!().for_each(holds);
}

#[test]
fn fuzz_pjl_status_put_together() {
    bolero::check!().for_each(|choices: &[u8]| {
        let pieces = choices.iter().map(|choice| PIECES[usize::from(*choice) % PIECES.len()]);
        holds(&pieces.collect::<Vec<_>>().concat());
    });
}

#[test]
fn a_message_broken_by_a_loss_is_void() {
    let mut pjl = Pjl::new(false);
    hear(&mut pjl, b"@PJL USTATUS PAGE\r\n1");
    pjl.lost();
    assert!(hear(&mut pjl, b"2\r\n\x0c").is_empty());
}

use super::*;

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

fn hear(messages: &mut Messages, bytes: &[u8]) -> Vec<Option<Finding>> {
    let mut heard = Vec::new();
    messages.take(bytes, |message| heard.push(message.finding()));
    heard
}

#[test]
fn a_message_behind_any_amount_of_noise_is_understood() {
    for noise in (PJL_MESSAGE_BYTES - 30)..(PJL_MESSAGE_BYTES + 30) {
        let mut said = vec![b'@'; 2 * noise];
        said.extend(GOOD);
        assert_eq!(hear(&mut Messages::default(), &said), [Some(Finding::Pages(7))], "{noise}");
    }
}

#[test]
fn an_endless_message_is_dropped() {
    let endless = format!("@PJL USTATUS PAGE\r\n1{}\r\n\x0c", " ".repeat(2 * PJL_MESSAGE_BYTES));
    assert!(hear(&mut Messages::default(), endless.as_bytes()).is_empty());
}

/// However it comes, it means the same; whatever came before, the next message is understood; what is kept is bounded.
fn holds(said: &[u8]) {
    let (mut whole, mut bytewise) = (Messages::default(), Messages::default());
    let found = hear(&mut whole, said);
    let again: Vec<_> = said.chunks(1).flat_map(|byte| hear(&mut bytewise, byte)).collect();
    assert_eq!(found, again);
    assert!(whole.message.len() <= PJL_MESSAGE_BYTES);
    assert_eq!(hear(&mut whole, GOOD).last(), Some(&Some(Finding::Pages(7))));
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

//! A password from a person or a program: without echo, bounded, and zeroed when it is done with.

use std::io::{IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::accounts::check_password;
use crate::cli::Failed;
use crate::limits::PASSWORD_CHARS;

/// UTF-8 has up to four octets for a character.
const LINE_BYTES: usize = 4 * PASSWORD_CHARS;

/// Asks on the terminal for a password that there is already.
pub(in crate::cli) fn ask_once(name: &str) -> Result<Zeroizing<String>, Failed> {
    let stdin = std::io::stdin();
    let silent = silent(&stdin)?;
    prompt(&silent, &format!("Password for \"{name}\": "))
}

/// Asks twice on the terminal, for a new one.
pub(super) fn ask(name: &str) -> Result<Zeroizing<String>, Failed> {
    let stdin = std::io::stdin();
    let silent = silent(&stdin)?;
    let first = prompt(&silent, &format!("Password for \"{name}\": "))?;
    check_password(&first)?;
    let second = prompt(&silent, "The same once more: ")?;
    if bool::from(first.as_bytes().ct_eq(second.as_bytes())) {
        Ok(first)
    } else {
        Err("the two passwords are not the same".into())
    }
}

fn silent(stdin: &std::io::Stdin) -> Result<Silent<'_>, Failed> {
    if !stdin.is_terminal() {
        return Err("standard input is no terminal; give the password with --password-stdin".into());
    }
    Silent::new(stdin.as_fd())
}

/// Reads one line from standard input.
pub(in crate::cli) fn one_line() -> Result<Zeroizing<String>, Failed> {
    let stdin = std::io::stdin();
    let password = read(stdin.as_fd(), take)?;
    check_password(&password)?;
    Ok(password)
}

fn prompt(silent: &Silent<'_>, text: &str) -> Result<Zeroizing<String>, Failed> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{text}")?;
    let read = read(silent.terminal, edit);
    // The line's end was not echoed either.
    writeln!(stderr)?;
    read
}

/// What a byte does to the line.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    More,
    End,
    Cancel,
}

/// Reads bytes, as `key` has it, up to the line's or the input's end.
fn read(
    from: BorrowedFd<'_>,
    key: fn(&mut Vec<u8>, u8) -> Key,
) -> Result<Zeroizing<String>, Failed> {
    // Room for all of it: a buffer that grows leaves its secrets behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES.saturating_add(1)));
    let mut byte = Zeroizing::new([0; 1]);
    loop {
        match rustix::io::read(from, byte.as_mut_slice()) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(format!("reading the password: {error}").into()),
        }
        let [next] = *byte;
        match key(&mut line, next) {
            Key::More if line.len() > LINE_BYTES => {
                return Err(
                    format!("the password is longer than {PASSWORD_CHARS} characters").into()
                );
            }
            Key::More => {}
            Key::End => break,
            Key::Cancel => return Err("canceled".into()),
        }
    }
    match String::from_utf8(std::mem::take(&mut *line)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err("the password is not UTF-8".into())
        }
    }
}

/// From a program: bytes, and `\n` or `\r\n` at the end.
fn take(line: &mut Vec<u8>, byte: u8) -> Key {
    if byte == b'\n' {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        return Key::End;
    }
    line.push(byte);
    Key::More
}

/// From a person at a terminal that edits nothing itself: Return, Control-C and -D, Backspace, Control-U.
fn edit(line: &mut Vec<u8>, byte: u8) -> Key {
    match byte {
        b'\n' | b'\r' => return Key::End,
        0x03 | 0x04 => return Key::Cancel,
        0x08 | 0x7F => {
            // One character: its first octet and all that go on from it.
            while line.pop().is_some_and(|octet| octet & 0xC0 == 0x80) {}
        }
        0x15 => line.clear(),
        _ => line.push(byte),
    }
    Key::More
}

/// A terminal that echoes nothing and edits nothing, until this is dropped. It sends no signals either: whoever presses
/// Control-C gets the terminal back as it was.
struct Silent<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn new(terminal: BorrowedFd<'a>) -> Result<Self, Failed> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> String {
        let mut line = Vec::new();
        for byte in keys.bytes() {
            assert_eq!(edit(&mut line, byte), Key::More);
        }
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn keys() {
        for (keys, line) in [
            ("abc", "abc"),
            ("abc\x7F\x08d", "ad"),
            ("aö€\x7F", "aö"),
            ("aö\x7F\x7F\x7F\x7Fb", "b"),
            ("abc\x15d", "d"),
        ] {
            assert_eq!(typed(keys), line, "{keys:?}");
        }
        let mut line = b"abc".to_vec();
        assert_eq!(edit(&mut line, b'\r'), Key::End);
        assert_eq!(edit(&mut line, 3), Key::Cancel);
        assert_eq!(line, b"abc");
    }

    #[test]
    fn a_line_of_a_program() {
        for (input, line) in [("abc\n", "abc"), ("abc\r\n", "abc"), ("a\x08\x15c", "a\x08\x15c")] {
            let mut taken = Vec::new();
            let ended = input.bytes().map(|byte| take(&mut taken, byte)).last();
            assert_eq!(taken, line.as_bytes());
            assert_eq!(ended == Some(Key::End), input.ends_with('\n'));
        }
    }
}

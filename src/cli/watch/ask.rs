//! Questions: shown, answered by lines on standard input, and the answers sent.
//!
//! A line is `BUTTON` (the oldest open question is meant) or `QUESTION BUTTON`; an empty one leaves the question to others.
//! The end of the input leaves all of them to others. A question of a type that is not AsyncUI is answered by the line's
//! words as they are.
//!
//! [MS-PAN] 3.1.3.4: an AsyncUI conversation is one notification and one closing answer, so that a question was withdrawn
//! meanwhile shows only when it is answered. Invariant: each question is closed once.

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{BufRead, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Teller;
use super::show::{About, Line, Output, Seen, label, plain};
use crate::asyncui::{MessageBox, Reply, Request};
use crate::cli::Failed;
use crate::limits::{ANSWER_BYTES, WATCH_WAITING};
use crate::pan::client::{Channel, Ended};
use crate::sources::types;

/// A channel and the notification that came by it.
pub(in crate::cli) struct Question {
    pub(super) teller: Teller,
    pub(in crate::cli) payload: Bytes,
    pub(super) channel: Channel,
}

/// The questions that are open.
pub(super) struct Asking {
    open: BTreeMap<u64, Question>,
    last: u64,
    input: Input,
}

enum Input {
    /// Nobody was asked yet.
    Unread,
    Lines(mpsc::Receiver<String>),
    Ended,
}

/// What a question wants to hear.
enum Kind {
    Buttons(MessageBox),
    /// Whatever a person writes.
    Words,
    /// Nothing that a person could say.
    Nothing,
}

impl Question {
    pub(in crate::cli) fn about(&self) -> &About {
        &self.teller.about
    }

    fn kind(&self) -> Kind {
        if self.about().notification_type != types::ASYNCUI {
            return Kind::Words;
        }
        match Request::parse(&self.payload) {
            Ok(Request::MessageBox(asked)) => Kind::Buttons(asked),
            _ => Kind::Nothing,
        }
    }

    /// Closes the channel, and tells what has come of it.
    fn close(self, number: u64, answer: Option<(Bytes, String)>) {
        let (answer, words) = answer.unzip();
        let Self { teller, channel, .. } = self;
        tokio::task::spawn_local(async move {
            let ended = channel.close(answer).await;
            let seen = match (ended, words) {
                (Ok(Ended::Closed), Some(words)) => Seen::Answered(number, words),
                (Ok(_), None) => Seen::GivenUp(number),
                (Ok(Ended::AcquiredByOther), _) => {
                    Seen::TooLate(number, "somebody else has answered")
                }
                (Ok(Ended::ClosedBefore), _) => Seen::TooLate(number, "it was withdrawn"),
                (Err(why), _) => Seen::Broken { why: why.to_string() },
            };
            teller.tell(seen).await;
        });
    }
}

impl Asking {
    pub(super) fn new() -> Self {
        Self { open: BTreeMap::new(), last: 0, input: Input::Unread }
    }

    /// Asks.
    pub(super) fn take(&mut self, question: Question, output: &mut Output) -> Result<(), Failed> {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        let about = question.about().clone();
        if matches!(question.kind(), Kind::Nothing) {
            output.show(&Line { about, seen: Seen::Notification(question.payload.clone()) })?;
            question.close(number, None);
            return Ok(());
        }
        output.show(&Line { about, seen: Seen::Question(number, question.payload.clone()) })?;
        if matches!(self.input, Input::Unread) {
            self.input = Input::Lines(lines()?);
        }
        if matches!(self.input, Input::Ended) {
            question.close(number, None);
            return Ok(());
        }
        self.open.insert(number, question);
        self.prompt(output);
        Ok(())
    }

    /// The next line of the person; `None` at the end. Waits for ever where nobody is asked.
    pub(super) async fn answer(&mut self) -> Option<String> {
        match &mut self.input {
            Input::Lines(lines) => lines.recv().await,
            Input::Unread | Input::Ended => pending().await,
        }
    }

    /// Does what the line says.
    pub(super) fn carry_out(&mut self, line: Option<String>, output: &Output) {
        let Some(line) = line else {
            self.input = Input::Ended;
            for (number, question) in std::mem::take(&mut self.open) {
                question.close(number, None);
            }
            return;
        };
        let Some((number, words)) = self.meant(line.trim()) else { return };
        let Some(question) = self.open.remove(&number) else { return };
        match read(&question.kind(), words) {
            Ok(answer) => question.close(number, answer),
            Err(why) => {
                output.prompt(&format!("{why}\n"));
                self.open.insert(number, question);
            }
        }
        self.prompt(output);
    }

    /// Which question a line answers, and with which words.
    fn meant<'a>(&self, line: &'a str) -> Option<(u64, &'a str)> {
        let (oldest, _) = self.open.first_key_value()?;
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let named = first.parse().ok().filter(|number| self.open.contains_key(number));
        match named {
            Some(number) if !rest.is_empty() => Some((number, rest.trim_start())),
            _ => Some((*oldest, line)),
        }
    }

    fn prompt(&self, output: &Output) {
        if let Some(number) = self.open.keys().next() {
            output.prompt(&format!("answer to question {number} (nothing: leave it to others): "));
        }
    }
}

/// The answer that words mean: the payload, and how to call it. `None`: no answer.
fn read(kind: &Kind, words: &str) -> Result<Option<(Bytes, String)>, String> {
    let asked = match kind {
        _ if words.is_empty() => return Ok(None),
        Kind::Nothing => return Ok(None),
        Kind::Words => {
            let answer = Bytes::copy_from_slice(words.as_bytes());
            return Ok(Some((answer, plain(words))));
        }
        Kind::Buttons(asked) => asked,
    };
    let is_meant = |button: &&crate::asyncui::Button| {
        words.parse() == Ok(button.id.number()) || label(button).eq_ignore_ascii_case(words)
    };
    let button = asked.buttons.iter().find(is_meant).ok_or_else(|| {
        let numbers: Vec<String> =
            asked.buttons.iter().map(|button| button.id.number().to_string()).collect();
        format!("there is no button \"{}\"; write one of {}", plain(words), numbers.join(", "))
    })?;
    let number = button.id.number();
    Ok(Some((Reply::Button(number).encode(), format!("{number} {}", label(button)))))
}

/// The lines of standard input. They are read by a thread of their own, which ends with the process: a terminal cannot be
/// waited for in any other way.
fn lines() -> Result<mpsc::Receiver<String>, Failed> {
    let (to, lines) = mpsc::channel(WATCH_WAITING);
    let read = move || {
        let mut stdin = std::io::stdin().lock();
        let limit = u64::try_from(ANSWER_BYTES).unwrap_or(u64::MAX);
        loop {
            let mut line = Vec::new();
            match stdin.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if to.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("answers".to_owned()).spawn(read)?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asyncui::{Button, ButtonId, Text};

    fn kind() -> Kind {
        let ok = Button { id: ButtonId::Ok, label: None };
        let third = Button { id: ButtonId::Number(3), label: Some((100, None)) };
        Kind::Buttons(MessageBox {
            title: Text::literal("Cut off"),
            buttons: vec![ok, third],
            ..MessageBox::default()
        })
    }

    #[test]
    fn buttons_by_number_and_by_name() {
        let pressed = |number| Reply::Button(number).encode();
        for (words, expected) in [("1", 1), ("ok", 1), ("3", 3), ("\u{2026}", 3)] {
            let (answer, _) = read(&kind(), words).unwrap().unwrap_or_else(|| panic!("{words}"));
            assert_eq!(answer, pressed(expected), "{words}");
        }
        assert_eq!(read(&kind(), ""), Ok(None));
        assert_eq!(
            read(&kind(), "2\x1b"),
            Err("there is no button \"2\u{FFFD}\"; write one of 1, 3".to_owned())
        );
        let words = read(&Kind::Words, "go on").unwrap().unwrap();
        assert_eq!(words, (Bytes::from("go on"), "go on".to_owned()));
    }
}

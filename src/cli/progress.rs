//! Progress bars: where a person waits and looks.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::units;

const WIDTH: usize = 30;
/// A terminal is written to at most this often.
const PACE: Duration = Duration::from_millis(50);

/// A line on stderr that is drawn over again. Draws nothing where stderr is no terminal.
pub(crate) struct Bar {
    visible: bool,
    label: String,
    begun: Instant,
    drawn: Option<Instant>,
    dirty: bool,
}

impl Bar {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        let visible = std::io::stderr().is_terminal();
        Self { visible, label: label.into(), begun: Instant::now(), drawn: None, dirty: false }
    }

    /// Shows how far it is; `note` is what else there is to say.
    pub(crate) fn show(&mut self, done: u64, total: Option<u64>, note: &str) {
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= PACE);
        if !self.visible || !(due || total == Some(done)) {
            return;
        }
        self.drawn = Some(Instant::now());
        self.dirty = true;
        let rate = units::rate(done, self.begun.elapsed());
        let mut stderr = std::io::stderr().lock();
        let _ = match total {
            Some(total) => {
                write!(stderr, "\r\x1b[K{} {} {rate} {note}", self.label, picture(done, total))
            }
            None => write!(stderr, "\r\x1b[K{} {} {rate} {note}", self.label, units::bytes(done)),
        };
        let _ = stderr.flush();
    }

    /// Takes the bar away, so that a line can be written.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.dirty) {
            eprint!("\r\x1b[K");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

fn picture(done: u64, total: u64) -> String {
    let whole = u64::try_from(WIDTH).unwrap_or(0);
    let share = |of: u64| {
        if total == 0 {
            of
        } else {
            done.saturating_mul(of).checked_div(total).unwrap_or(of).min(of)
        }
    };
    let filled = usize::try_from(share(whole)).unwrap_or(0);
    format!(
        "[{}{}] {:3} %",
        "#".repeat(filled),
        ".".repeat(WIDTH.saturating_sub(filled)),
        share(100)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures() {
        assert_eq!(picture(0, 0), format!("[{}] 100 %", "#".repeat(30)));
        assert_eq!(picture(1, 2), format!("[{}{}]  50 %", "#".repeat(15), ".".repeat(15)));
        assert_eq!(picture(3, 2), format!("[{}] 100 %", "#".repeat(30)));
    }
}

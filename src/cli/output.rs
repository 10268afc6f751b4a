//! What commands say on standard output.
//!
//! Whoever reads it may stop when he has enough (`despool jobs | head`): that is no failure, and the command goes on to
//! its end. A disk that takes no more is one.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use super::Failed;

/// A line.
pub(super) fn say(line: impl Display) -> Result<(), Failed> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

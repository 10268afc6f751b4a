//! What people said of printers (paused, rejecting), kept across restarts.
//!
//! One line a printer in `STATE/printers`: the name, then the words that hold. Written anew as a whole: a temporary file,
//! synced, renamed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The states of all printers.
pub(super) struct States {
    path: PathBuf,
    /// Paused, accepting. Printers that are as usual are not in it.
    printers: BTreeMap<String, (bool, bool)>,
}

impl States {
    /// Reads the file. One that cannot be read is left where it is; every printer is as usual then.
    pub(super) fn load(state_dir: &Path) -> Self {
        let path = state_dir.join("printers");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "cannot read which printers are paused; none is");
                String::new()
            }
        };
        Self { path, printers: parse(&text) }
    }

    /// Paused, accepting.
    pub(super) fn of(&self, name: &str) -> (bool, bool) {
        self.printers.get(&name.to_lowercase()).copied().unwrap_or((false, true))
    }

    /// Changes a printer's, durably.
    pub(super) fn set(&mut self, name: &str, paused: bool, accepting: bool) -> Result<()> {
        let name = name.to_lowercase();
        if (paused, accepting) == (false, true) {
            self.printers.remove(&name);
        } else {
            self.printers.insert(name, (paused, accepting));
        }
        self.write().map_err(|error| Error::State {
            doing: "writing",
            path: self.path.display().to_string(),
            why: error.to_string(),
        })
    }

    fn write(&self) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(format(&self.printers).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        std::fs::File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }
}

fn parse(text: &str) -> BTreeMap<String, (bool, bool)> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let words: Vec<&str> = words.collect();
        Some((name, (words.contains(&"paused"), !words.contains(&"rejecting"))))
    };
    text.lines().filter_map(line).collect()
}

fn format(printers: &BTreeMap<String, (bool, bool)>) -> String {
    let line = |(name, (paused, accepting)): (&String, &(bool, bool))| {
        let word = |holds: bool, word: &'static str| if holds { word } else { "" };
        format!("{name}{}{}\n", word(*paused, " paused"), word(!*accepting, " rejecting"))
    };
    printers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_both_ways_and_across_restarts() {
        let text = "both paused rejecting\nlabel paused\nlaser rejecting\n";
        assert_eq!(format(&parse(text)), text);
        let dir = tempfile::tempdir().unwrap();
        let mut states = States::load(dir.path());
        assert_eq!(states.of("label"), (false, true));
        states.set("Label", true, true).unwrap();
        states.set("laser", false, false).unwrap();
        states.set("laser", false, true).unwrap();
        let again = States::load(dir.path());
        assert_eq!((again.of("label"), again.of("laser")), ((true, true), (false, true)));
    }
}

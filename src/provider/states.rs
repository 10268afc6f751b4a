//! What people said of printers (paused, rejecting, and why), kept across restarts.
//!
//! One line a printer in `STATE/printers`: the name, the words that hold, and behind a colon the reason that somebody gave.
//! Written anew as a whole: a temporary file, synced, renamed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What people said of a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Begin no more jobs.
    pub(super) paused: bool,
    /// Take new jobs.
    pub(super) accepting: bool,
    /// Why not, for people; empty where nobody said.
    pub(super) why: String,
}

impl Default for Said {
    fn default() -> Self {
        Self { paused: false, accepting: true, why: String::new() }
    }
}

impl Said {
    pub(super) fn is_usual(&self) -> bool {
        !self.paused && self.accepting
    }
}

/// The states of all printers.
#[derive(Clone, Debug)]
pub(super) struct States {
    path: PathBuf,
    /// Printers that are as usual are not in it.
    printers: BTreeMap<String, Said>,
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

    /// Of this printer.
    pub(super) fn of(&self, name: &str) -> Said {
        self.printers.get(&name.to_lowercase()).cloned().unwrap_or_default()
    }

    /// Changes a printer's.
    ///
    /// Errors: what holds now will not hold after a restart, for it could not be written.
    pub(super) fn set(&mut self, name: &str, said: Said) -> Result<()> {
        let name = name.to_lowercase();
        if said.is_usual() {
            self.printers.remove(&name);
        } else {
            self.printers.insert(name, said);
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

fn parse(text: &str) -> BTreeMap<String, Said> {
    let line = |line: &str| {
        // A name may have a colon in it, but no space.
        let (name, said) = line.split_once(' ').unwrap_or((line, ""));
        let (said, why) = said.split_once(": ").unwrap_or((said, ""));
        let words: Vec<&str> = said.split_whitespace().collect();
        let (paused, rejecting) = (words.contains(&"paused"), words.contains(&"rejecting"));
        Some((name.to_owned(), Said { paused, accepting: !rejecting, why: why.to_owned() }))
    };
    text.lines().filter_map(line).collect()
}

fn format(printers: &BTreeMap<String, Said>) -> String {
    let line = |(name, said): (&String, &Said)| {
        let word = |holds: bool, word: &'static str| if holds { word } else { "" };
        let why: Vec<&str> = said.why.split(char::is_control).collect();
        let before = word(!said.why.is_empty(), ": ");
        let (paused, rejecting) =
            (word(said.paused, " paused"), word(!said.accepting, " rejecting"));
        format!("{name}{paused}{rejecting}{before}{}\n", why.join(" "))
    };
    printers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_both_ways_and_across_restarts() {
        let text =
            "a: paused\nboth paused rejecting\nlabel paused: out: of ribbon\nlaser rejecting\n";
        assert_eq!(format(&parse(text)), text);
        let dir = tempfile::tempdir().unwrap();
        let mut states = States::load(dir.path());
        assert_eq!(states.of("label"), Said::default());
        let paused = |why: &str| Said { paused: true, why: why.into(), ..Said::default() };
        states.set("Label", paused("no\npaper")).unwrap();
        states.set("laser", Said { accepting: false, ..Said::default() }).unwrap();
        states.set("laser", Said::default()).unwrap();
        let again = States::load(dir.path());
        assert_eq!((again.of("label"), again.of("laser")), (paused("no paper"), Said::default()));
    }

    #[test]
    fn what_cannot_be_written_holds_all_the_same() {
        let mut states = States::load(Path::new("/dev/null"));
        let paused = Said { paused: true, ..Said::default() };
        assert!(states.set("label", paused.clone()).is_err());
        assert_eq!(states.of("label"), paused);
    }
}

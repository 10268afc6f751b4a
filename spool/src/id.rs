//! Job ids, and the names of spool files that follow from them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::limits::ID_LAST;

/// A job's number: 1 to 2^31-1, given once and never again in the life of a spool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(NonZeroU32);

impl JobId {
    /// The id with this number; `None` for 0 and for numbers over 2^31-1.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).filter(|number| number.get() <= ID_LAST).map(Self)
    }

    /// The number, 1 to 2^31-1.
    pub fn number(self) -> u32 {
        self.0.get()
    }

    /// The name of the job's spool file: `00042.spl`.
    pub fn file_name(self) -> String {
        format!("{:05}.spl", self.0)
    }

    /// The job whose spool file has this name; `None` for files that are not ours.
    pub fn from_file_name(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(".spl")?;
        let canonical = digits.len() == 5 || (digits.len() > 5 && !digits.starts_with('0'));
        if !canonical || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        Self::new(digits.parse().ok()?)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}", self.0)
    }
}

impl FromStr for JobId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or("a job id is a number from 1 to 2147483647")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_one_to_one() {
        for number in [1, 42, 99_999, 100_000, ID_LAST] {
            let id = JobId::new(number).unwrap();
            assert_eq!(JobId::from_file_name(&id.file_name()), Some(id));
        }
        assert_eq!(JobId::new(42).unwrap().file_name(), "00042.spl");
        for foreign in [
            "42.spl",
            "000042.spl",
            "00000.spl",
            "0004x.spl",
            "00042.SPL",
            "00042",
            ".spl",
            "+0042.spl",
        ] {
            assert_eq!(JobId::from_file_name(foreign), None, "{foreign}");
        }
    }
}

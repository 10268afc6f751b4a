//! What an operator writes and reads: a printer of the configuration, a job as `despool jobs` shows it.

use serde_json::Value;

/// A printer of the configuration.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its device URI.
    pub port: String,
    /// More lines of its section.
    pub more: String,
}

impl Queue {
    /// Its section of the configuration.
    pub(super) fn section(&self) -> String {
        let Self { name, port, more } = self;
        format!("[[printer]]\nname = \"{name}\"\nport = \"{port}\"\n{more}")
    }

    /// A printer on a port, with what is the default otherwise.
    pub fn new(name: &str, port: &str) -> Self {
        Self { name: name.to_owned(), port: port.to_owned(), more: String::new() }
    }

    /// With a recover policy.
    pub fn recover(self, policy: &str) -> Self {
        self.with("recover", policy)
    }

    /// With a language.
    pub fn language(self, language: &str) -> Self {
        self.with("language", language)
    }

    /// With another line.
    pub fn with(self, key: &str, value: &str) -> Self {
        Self { more: format!("{}{key} = \"{value}\"\n", self.more), ..self }
    }
}

/// A job, as `despool jobs` shows it.
#[derive(Clone, Debug)]
pub struct Job(pub(super) Value);

impl Job {
    /// Its state.
    pub fn state(&self) -> &str {
        self.0.get("state").and_then(Value::as_str).unwrap_or_default()
    }

    /// What was done about it when it was cut off; `None`: it was not.
    pub fn recovery(&self) -> Option<&str> {
        self.0.get("recovery").and_then(Value::as_str)
    }

    /// Bytes that have left, as far as that has been noted.
    pub fn bytes_done(&self) -> u64 {
        self.0.get("bytes_done").and_then(Value::as_u64).unwrap_or_default()
    }

    /// Bytes that may be on paper from before it was cut off.
    pub fn maybe_on_paper(&self) -> u64 {
        self.0.get("bytes_maybe_on_paper").and_then(Value::as_u64).unwrap_or_default()
    }
}

//! Accounts: who may prove who they are, and by what.
//!
//! Local users, each with the NT hash of a password, in one file under the state directory (`[security] users_file`). Not
//! here: how a proof goes (`rpc::auth`).
//!
//! ```text
//!   despool user add ──► update: lock, read, change, replace ──► users (0600)
//!   a proof          ──► find(name) ── stamp changed? ── yes ──► read ─┘
//!                                     └─ no ──► what was read before
//! ```
//!
//! The file is looked at on each lookup and read when it is another one than before, so an account that was removed is
//! gone at once. Invariant: a file that cannot be trusted (rights, form) lets nobody in.

mod file;
mod hash;
pub mod name;
mod store;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{Timestamp, Unit};

use crate::config::Config;
use crate::identity::Identity;
use crate::limits::PASSWORD_CHARS;
use crate::{Error, Result};
pub use hash::NtHash;
use store::Stamp;

/// A local user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, as it was written when the account was made. Compared without regard to case ([`name`]).
    pub name: Arc<str>,
    /// What a proof is checked against.
    pub nt_hash: NtHash,
    /// May see what is for all users' eyes. `[security] admins` can add to it.
    pub admin: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// The accounts of a server.
#[derive(Debug)]
pub struct Accounts {
    domain: Arc<str>,
    admins: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File { path: PathBuf, cache: Mutex<Option<Cache>> },
    Memory(Book),
}

/// Accounts by the upper case of their names.
type Book = Arc<HashMap<String, Account>>;

/// What a file was when it was read, and what was in it.
#[derive(Debug)]
struct Cache {
    stamp: Option<Stamp>,
    book: Result<Book>,
}

impl Accounts {
    /// The accounts that a configuration means. Nothing is read yet; there need be no file.
    pub fn of(config: &Config) -> Self {
        let security = &config.security;
        let path = config.server.state_dir.join(&security.users_file);
        let source = Source::File { path, cache: Mutex::new(None) };
        let admins = security.admins.iter().map(|name| name::upper(name)).collect();
        Self { domain: security.domain.as_str().into(), admins, source }
    }

    /// Accounts of a program that looks after its own, with the domain that is part of their identities.
    pub fn in_memory(domain: &str, accounts: impl IntoIterator<Item = Account>) -> Self {
        let source = Source::Memory(book(accounts));
        Self { domain: domain.into(), admins: Vec::new(), source }
    }

    /// The domain that is part of their identities.
    pub fn domain(&self) -> &Arc<str> {
        &self.domain
    }

    /// The account of this name. An error where the file cannot be read or trusted.
    pub fn find(&self, name: &str) -> Result<Option<Account>> {
        Ok(self.book()?.get(&name::upper(name)).cloned())
    }

    /// All accounts, by name.
    pub fn list(&self) -> Result<Vec<Account>> {
        let mut accounts: Vec<Account> = self.book()?.values().cloned().collect();
        accounts.sort_by_cached_key(|account| name::canonical(&account.name));
        Ok(accounts)
    }

    /// Who somebody is who has proved to have this account.
    pub fn identity(&self, account: &Account) -> Identity {
        let id = format!("{}\\{}", name::canonical(&self.domain), name::canonical(&account.name));
        let admin = account.admin || self.admins.contains(&name::upper(&account.name));
        Identity { id: id.into(), name: account.name.clone(), admin }
    }

    /// Makes an account. An error where the name or the password is not allowed, or there is one of that name.
    pub fn add(&self, name: &str, password: &str, admin: bool) -> Result<()> {
        name::check(name).map_err(|why| Error::AccountRefused { why })?;
        check_password(password).map_err(|why| Error::AccountRefused { why })?;
        let nt_hash = NtHash::of(password);
        let created = Timestamp::now().round(Unit::Second).unwrap_or_default();
        self.update(|accounts| {
            if accounts.iter().any(is_called(name)) {
                return Err(Error::AccountExists { name: name.to_owned() });
            }
            accounts.push(Account { name: name.into(), nt_hash, admin, created });
            Ok(())
        })
    }

    /// Gives an account another password.
    pub fn set_password(&self, name: &str, password: &str) -> Result<()> {
        check_password(password).map_err(|why| Error::AccountRefused { why })?;
        let nt_hash = NtHash::of(password);
        self.update(|accounts| {
            let account = accounts.iter_mut().find(|account| is_called(name)(account));
            let missing = || Error::NoSuchAccount { name: name.to_owned() };
            account.ok_or_else(missing)?.nt_hash = nt_hash;
            Ok(())
        })
    }

    /// Removes an account.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.update(|accounts| {
            let before = accounts.len();
            accounts.retain(|account| !is_called(name)(account));
            if accounts.len() == before {
                return Err(Error::NoSuchAccount { name: name.to_owned() });
            }
            Ok(())
        })
    }

    fn update(&self, change: impl FnOnce(&mut Vec<Account>) -> Result<()>) -> Result<()> {
        match &self.source {
            Source::File { path, .. } => store::update(path, change),
            Source::Memory(_) => {
                let why = "these accounts are kept by the program that gave them".to_owned();
                Err(Error::AccountRefused { why })
            }
        }
    }

    /// The accounts as they are now.
    fn book(&self) -> Result<Book> {
        let (path, cache) = match &self.source {
            Source::File { path, cache } => (path, cache),
            Source::Memory(book) => return Ok(book.clone()),
        };
        // Taken before the file is read: what is written meanwhile is read on the next lookup.
        let stamp = store::stamp(path).map_err(|error| store::failed("reading", path, &error))?;
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = cache.as_ref().filter(|cached| cached.stamp == stamp) {
            return cached.book.clone();
        }
        let read = store::read(path).map(book);
        if let Err(error) = &read {
            tracing::error!(%error, "nobody can log on until this is mended");
        }
        *cache = Some(Cache { stamp, book: read.clone() });
        read
    }
}

fn book(accounts: impl IntoIterator<Item = Account>) -> Book {
    Arc::new(accounts.into_iter().map(|account| (name::upper(&account.name), account)).collect())
}

fn is_called(name: &str) -> impl Fn(&Account) -> bool {
    let wanted = name::upper(name);
    move |account| name::upper(&account.name) == wanted
}

/// Says what is wrong with a password.
pub fn check_password(password: &str) -> std::result::Result<(), String> {
    if password.is_empty() {
        return Err("the password is empty".to_owned());
    }
    if password.encode_utf16().count() > PASSWORD_CHARS {
        return Err(format!("the password is longer than {PASSWORD_CHARS} characters"));
    }
    if password.contains(['\0', '\n', '\r']) {
        return Err("the password holds a line end or a zero byte".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! The credential of this machine's own commands: they log on as an administrator without an account.
//!
//! ```text
//!   server starts ──► draws a secret ──► STATE/local-credential (0600) ──► despool watch, on the same machine
//!         └──► Accounts::with_local                                              └── logs on with it
//! ```
//!
//! Whoever may read the file may do everything to the server's state anyway. Invariant: the secret is another one after
//! each start, and the account's name is one that no account in the users file can have.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{Account, NtHash, store};
use crate::limits::LOCAL_SECRET_BYTES;
use crate::{Error, Result};

/// What the account is called.
pub const NAME: &str = "#local";

/// Where the secret is.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("local-credential")
}

/// Draws a secret, writes it where local commands find it, and gives the account that it opens. A disk that has no room for
/// it must not keep the server from printing what is on it: local commands then have to log on as others do.
pub fn create(state_dir: &Path) -> Result<Account> {
    let path = path(state_dir);
    let mut random = Zeroizing::new([0; LOCAL_SECRET_BYTES]);
    getrandom::fill(random.as_mut_slice()).map_err(|error| Error::State {
        doing: "drawing random numbers for",
        path: path.display().to_string(),
        why: error.to_string(),
    })?;
    let secret = Zeroizing::new(hexadecimal(random.as_slice()));
    if let Err(error) = write(state_dir, &secret) {
        let error = store::failed("writing", &path, &error);
        tracing::error!(%error, "commands on this machine cannot log on without an account");
        remove(state_dir);
    }
    let nt_hash = NtHash::of(&secret);
    Ok(Account { name: NAME.into(), nt_hash, admin: true, created: Timestamp::now() })
}

/// Made 0600, and there as a whole or not at all.
fn write(state_dir: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(state_dir)?;
    writeln!(file, "{secret}")?;
    file.persist(path(state_dir))?;
    Ok(())
}

/// The secret of the server whose state is here; `None` where there is none, or none that we may read.
pub fn read(state_dir: &Path) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(std::fs::read_to_string(path(state_dir)).ok()?);
    Some(Zeroizing::new(text.trim_end().to_owned()))
}

/// Takes it away.
pub fn remove(state_dir: &Path) {
    // A file that stays opens nothing: the next server draws another secret.
    let _ = std::fs::remove_file(path(state_dir));
}

fn hexadecimal(octets: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::accounts::{Accounts, name};

    #[test]
    fn a_secret_for_each_start() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), None);
        let first = create(dir.path()).unwrap();
        let secret = read(dir.path()).unwrap();
        assert_eq!(NtHash::of(&secret), first.nt_hash);
        assert_eq!(secret.len(), 2 * LOCAL_SECRET_BYTES);
        let mode = std::fs::metadata(path(dir.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let second = create(dir.path()).unwrap();
        assert_ne!(second.nt_hash, first.nt_hash);
        remove(dir.path());
        assert_eq!(read(dir.path()), None);
    }

    #[test]
    fn it_is_an_administrator_that_nobody_can_make() {
        assert!(name::check(NAME).is_err());
        let dir = tempfile::tempdir().unwrap();
        let accounts = Accounts::in_memory("WORKGROUP", []);
        assert_eq!(accounts.find(NAME).unwrap(), None);
        let accounts = accounts.with_local(create(dir.path()).unwrap());
        let account = accounts.find("#LOCAL").unwrap().unwrap();
        let identity = accounts.identity(&account);
        assert_eq!((&*identity.id, identity.admin), ("workgroup\\#local", true));
        assert_eq!(accounts.list().unwrap(), []);
    }
}

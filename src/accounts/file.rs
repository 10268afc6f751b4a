//! The text of the accounts file: bytes in, accounts out, and back. No file is touched here.
//!
//! ```text
//! despool-users 1
//! # NAME:NT-HASH:ROLE:CREATED            ROLE: user | admin, CREATED: RFC 3339, UTC
//! alice:a4f49c406510bdcab6824ee7c30fd852:admin:2026-11-21T10:02:03Z
//! ```
//!
//! Empty lines and lines that begin with `#` are skipped, and not written again. Invariant: no two accounts have the same
//! name, and what is written reads back as it was.

use std::collections::HashMap;
use std::fmt::Write;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Account, NtHash, name};
use crate::limits::{ACCOUNTS, ACCOUNTS_FILE_BYTES};

const HEADER: &str = "despool-users 1";
const LEGEND: &str =
    "# NAME:NT-HASH:ROLE:CREATED, made by `despool user`; the hashes are as secret as passwords";
const ROLES: [(&str, bool); 2] = [("user", false), ("admin", true)];

/// What is wrong with a line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) why: String,
}

/// Reads a file's bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Account>, Wrong> {
    let wrong = |line, why: &str| Wrong { line, why: why.to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        wrong(good.split(|byte| *byte == b'\n').count(), "is not UTF-8")
    })?;
    let mut lines = (1..).zip(text.lines());
    let header = lines.next().map(|(_, header)| header);
    if header != Some(HEADER) {
        return Err(Wrong { line: 1, why: format!("the first line must be `{HEADER}`") });
    }
    let mut accounts = Vec::new();
    let mut lines_of: HashMap<String, usize> = HashMap::new();
    for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        let account = account(text).map_err(|why| Wrong { line, why })?;
        if let Some(other) = lines_of.insert(name::canonical(&account.name), line) {
            return Err(Wrong {
                line,
                why: format!("\"{}\" is in line {other} already", account.name),
            });
        }
        if accounts.len() >= ACCOUNTS {
            return Err(Wrong { line, why: format!("there are more than {ACCOUNTS} accounts") });
        }
        accounts.push(account);
    }
    Ok(accounts)
}

fn account(line: &str) -> Result<Account, String> {
    let mut fields = line.splitn(4, ':');
    let mut next = || fields.next().ok_or("is not NAME:NT-HASH:ROLE:CREATED");
    let (name, hash, role, created) = (next()?, next()?, next()?, next()?);
    name::check(name)?;
    let role = ROLES.iter().find(|(word, _)| *word == role);
    let created = created.parse::<Timestamp>();
    Ok(Account {
        name: name.into(),
        nt_hash: NtHash::parse(hash).ok_or("the second field is not 32 hexadecimal digits")?,
        admin: role.ok_or("the third field is neither `user` nor `admin`")?.1,
        created: created.map_err(|_| "the fourth field is no time like 2026-11-21T10:02:03Z")?,
    })
}

/// Writes accounts, at most [`ACCOUNTS`]; none where they do not fit.
pub(super) fn encode<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(String::with_capacity(ACCOUNTS_FILE_BYTES));
    let mut room = ACCOUNTS;
    writeln!(text, "{HEADER}\n{LEGEND}").ok()?;
    for account in accounts {
        room = room.checked_sub(1)?;
        let role = ROLES.iter().find(|(_, admin)| *admin == account.admin)?.0;
        let Account { name, nt_hash, created, .. } = account;
        writeln!(text, "{name}:{}:{role}:{created:.0}", *nt_hash.hex()).ok()?;
    }
    (text.len() <= ACCOUNTS_FILE_BYTES)
        .then(|| Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOLDEN: &str = "despool-users 1\n\
        # NAME:NT-HASH:ROLE:CREATED, made by `despool user`; the hashes are as secret as passwords\n\
        alice:a4f49c406510bdcab6824ee7c30fd852:admin:2026-11-21T10:02:03Z\n\
        Bob Müller:31d6cfe0d16ae931b73c59d7e0c089c0:user:2026-01-01T00:00:00Z\n";

    fn account(name: &str, password: &str, admin: bool, created: &str) -> Account {
        let created = created.parse().unwrap();
        Account { name: name.into(), nt_hash: NtHash::of(password), admin, created }
    }

    #[test]
    fn golden_both_ways() {
        let accounts = vec![
            account("alice", "Password", true, "2026-11-21T10:02:03Z"),
            account("Bob Müller", "", false, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(String::from_utf8_lossy(&encode(&accounts).unwrap()), GOLDEN);
        assert_eq!(decode(GOLDEN.as_bytes()), Ok(accounts));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let good = "alice:a4f49c406510bdcab6824ee7c30fd852:admin:2026-11-21T10:02:03Z";
        for (text, line, why) in [
            ("".to_owned(), 1, "the first line must be `despool-users 1`"),
            ("despool-users 2\n".to_owned(), 1, "the first line must be `despool-users 1`"),
            (format!("{HEADER}\n\nalice:00"), 3, "is not NAME:NT-HASH:ROLE:CREATED"),
            (
                format!("{HEADER}\nalice:00:user:x"),
                2,
                "the second field is not 32 hexadecimal digits",
            ),
            (
                format!("{HEADER}\n{}", good.replace("admin", "root")),
                2,
                "the third field is neither `user` nor `admin`",
            ),
            (
                format!("{HEADER}\n{}", good.replace("10:02", "now")),
                2,
                "the fourth field is no time like 2026-11-21T10:02:03Z",
            ),
            (
                format!("{HEADER}\n{good}\n{}", good.replace("alice", "ALICE")),
                3,
                "\"ALICE\" is in line 2 already",
            ),
            (
                format!("{HEADER}\n{}", good.replace("alice", "a/b")),
                2,
                "\"a/b\" holds '/'; an account's name has none of \" / \\ [ ] : ; | = , + * ? < > @ % #",
            ),
        ] {
            assert_eq!(decode(text.as_bytes()), Err(Wrong { line, why: why.to_owned() }));
        }
        let latin = [HEADER.as_bytes(), b"\n\nb\xFCro:"].concat();
        assert_eq!(decode(&latin), Err(Wrong { line: 3, why: "is not UTF-8".to_owned() }));
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(
            names in prop::collection::hash_set("[a-z]{1,8}", 0..20),
            hash: [u8; 16],
            admin: bool,
            seconds in 0..4_000_000_000i64,
        ) {
            let created = Timestamp::from_second(seconds).unwrap();
            let accounts: Vec<Account> = names
                .iter()
                .map(|name| Account {
                    name: name.as_str().into(), nt_hash: NtHash::new(hash), admin, created,
                })
                .collect();
            prop_assert_eq!(decode(&encode(&accounts).unwrap()), Ok(accounts));
        }

        #[test]
        fn any_bytes_get_an_answer(bytes: Vec<u8>) {
            let _ = decode(&bytes);
            let _ = decode(&[HEADER.as_bytes(), b"\n", &bytes].concat());
        }
    }
}

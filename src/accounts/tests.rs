use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn accounts_in(dir: &Path) -> Accounts {
    let mut config = Config::without_file();
    config.server.state_dir = dir.join("state");
    config.security.domain = "WorkGroup".into();
    config.security.admins = vec!["CAROL".into()];
    Accounts::of(&config)
}

fn file(dir: &Path) -> PathBuf {
    dir.join("state/users")
}

fn names(accounts: &Accounts) -> Vec<String> {
    accounts.list().unwrap().iter().map(|account| account.name.to_string()).collect()
}

#[test]
fn made_found_changed_removed() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = accounts_in(dir.path());
    assert_eq!(accounts.find("alice").unwrap(), None, "no file is no account");
    accounts.add("Alice", "one", true).unwrap();
    accounts.add("bob", "two", false).unwrap();
    assert_eq!(names(&accounts), ["Alice", "bob"]);
    let mode = std::fs::metadata(file(dir.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);

    let alice = accounts.find("aLICE").unwrap().unwrap();
    assert!(alice.admin && alice.nt_hash == NtHash::of("one"));
    accounts.set_password("ALICE", "three").unwrap();
    let after = accounts.find("alice").unwrap().unwrap();
    assert_eq!(after, Account { nt_hash: NtHash::of("three"), ..alice });

    accounts.remove("aliCE").unwrap();
    assert_eq!(names(&accounts), ["bob"]);
}

#[test]
fn an_identity_is_the_account_s_whoever_asks_how() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = accounts_in(dir.path());
    accounts.add("Alice Müller", "x", true).unwrap();
    accounts.add("Carol", "x", false).unwrap();
    accounts.add("bob", "x", false).unwrap();
    let identity = |name: &str| accounts.identity(&accounts.find(name).unwrap().unwrap());
    let alice = identity("ALICE MÜLLER");
    assert_eq!(
        (&*alice.id, &*alice.name, alice.admin),
        ("workgroup\\alice müller", "Alice Müller", true)
    );
    assert!(identity("carol").admin, "by configuration");
    assert!(!identity("bob").admin);
}

#[test]
fn what_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = accounts_in(dir.path());
    accounts.add("alice", "x", false).unwrap();
    let long = "x".repeat(PASSWORD_CHARS + 1);
    for (outcome, why) in [
        (
            accounts.add("ALICE", "y", false),
            "there is an account \"ALICE\" already; `despool user passwd` changes its password",
        ),
        (
            accounts.add("a:b", "y", false),
            "\"a:b\" holds ':'; an account's name has none of \" / \\ [ ] : ; | = , + * ? < > @ % #",
        ),
        (accounts.add("bob", "", false), "the password is empty"),
        (accounts.add("bob", "a\nb", false), "the password holds a line end or a zero byte"),
        (accounts.add("bob", &long, false), "the password is longer than 256 characters"),
        (
            accounts.remove("bob"),
            "there is no account \"bob\"; `despool user list` shows those there are",
        ),
        (
            accounts.set_password("bob", "x"),
            "there is no account \"bob\"; `despool user list` shows those there are",
        ),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), why);
    }
    assert_eq!(names(&accounts), ["alice"]);
}

#[test]
fn the_file_is_read_again_when_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (accounts_in(dir.path()), accounts_in(dir.path()));
    command.add("alice", "x", false).unwrap();
    assert!(server.find("alice").unwrap().is_some());
    command.remove("alice").unwrap();
    assert!(server.find("alice").unwrap().is_none(), "who was removed is out at once");
    std::fs::remove_file(file(dir.path())).unwrap();
    assert!(server.find("alice").unwrap().is_none());
}

#[test]
fn a_file_that_cannot_be_trusted_lets_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = accounts_in(dir.path());
    accounts.add("alice", "x", false).unwrap();
    let path = file(dir.path());
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    for loose in [0o640, 0o604, 0o660, 0o700, 0o4600] {
        mode(loose);
        let error = accounts.find("alice").unwrap_err().to_string();
        assert!(error.contains(&format!("has mode {loose:04o}")), "{error}");
        accounts.add("bob", "x", false).unwrap_err();
    }
    mode(0o600);
    assert!(accounts.find("alice").unwrap().is_some());

    let text = std::fs::read_to_string(&path).unwrap().replace(":user:", ":king:");
    std::fs::write(&path, text).unwrap();
    let error = accounts.find("alice").unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{}:3: the third field is neither `user` nor `admin`", path.display())
    );

    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = accounts.find("alice").unwrap_err().to_string();
    assert!(error.contains("is no regular file"), "{error}");
}

#[test]
fn many_writers_lose_nothing() {
    const WRITERS: usize = 8;
    const EACH: usize = 5;
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let accounts = accounts_in(dir.path());
            scope.spawn(move || {
                for n in 0..EACH {
                    accounts.add(&format!("user{writer}-{n}"), "x", false).unwrap();
                }
            });
        }
    });
    assert_eq!(names(&accounts_in(dir.path())).len(), WRITERS * EACH);
}

#[test]
fn who_keeps_his_own_accounts_changes_them_himself() {
    let account = Account {
        name: "alice".into(),
        nt_hash: NtHash::of("x"),
        admin: false,
        created: Timestamp::UNIX_EPOCH,
    };
    let accounts = Accounts::in_memory("D", [account.clone()]);
    assert_eq!(accounts.find("ALICE").unwrap(), Some(account));
    accounts.add("bob", "x", false).unwrap_err();
}

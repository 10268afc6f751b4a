//! Names of accounts: which are allowed, and when two are the same.
//!
//! Windows compares names by upper case, letter by letter: no letter becomes two (`ß` stays), and whatever lies beyond the
//! basic plane stays. Invariant: [`canonical`] is equal for two names exactly when [`upper`] is.

use crate::limits::ACCOUNT_NAME_CHARS;

/// The name in upper case, as Windows has it for comparing, and for the NTLMv2 hash ([MS-NLMP] 3.3.2).
pub fn upper(name: &str) -> String {
    name.chars().map(upper_char).collect()
}

/// The name in lower case, one form for all names that are equal.
pub fn canonical(name: &str) -> String {
    name.chars().map(canonical_char).collect()
}

fn upper_char(c: char) -> char {
    single(c, c.to_uppercase())
}

/// The lower case, where the way back leads to the same upper case: the Kelvin sign is no `k`.
fn canonical_char(c: char) -> char {
    let upper = upper_char(c);
    let lower = single(upper, upper.to_lowercase());
    if upper_char(lower) == upper { lower } else { upper }
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    let basic = |c: char| c.len_utf16() == 1;
    match (mapped.next(), mapped.next()) {
        (Some(to), None) if basic(c) && basic(to) => to,
        _ => c,
    }
}

/// Says what is wrong with a name for an account. What Windows forbids is forbidden, and what the file cannot hold.
pub fn check(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length == 0 || length > ACCOUNT_NAME_CHARS {
        return Err(format!("an account's name has 1 to {ACCOUNT_NAME_CHARS} characters"));
    }
    let bad = |c: char| c.is_control() || "\"/\\[]:;|=,+*?<>@%#".contains(c);
    if let Some(c) = name.chars().find(|c| bad(*c)) {
        return Err(format!(
            "\"{name}\" holds {c:?}; an account's name has none of \" / \\ [ ] : ; | = , + * ? < > @ % #"
        ));
    }
    if name.trim() != name {
        return Err(format!("\"{name}\" begins or ends with a space"));
    }
    if name.chars().all(|c| c == '.' || c.is_whitespace()) {
        return Err(format!("\"{name}\" has no letter and no digit"));
    }
    if name.starts_with('-') {
        return Err(format!("\"{name}\" begins with `-`; begin with a letter or a digit"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letter_by_letter() {
        for (name, up, id) in [
            ("Alice", "ALICE", "alice"),
            ("Straße", "STRAßE", "straße"),
            ("ÄÖü", "ÄÖÜ", "äöü"),
            ("Ñandú", "ÑANDÚ", "ñandú"),
            ("\u{212A}", "\u{212A}", "\u{212A}"),
            ("ﬁ", "ﬁ", "ﬁ"),
            ("\u{10428}", "\u{10428}", "\u{10428}"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ] {
            assert_eq!(upper(name), up, "{name}");
            assert_eq!(canonical(name), id, "{name}");
        }
    }

    #[test]
    fn every_letter_there_is() {
        let mut seen = std::collections::HashMap::new();
        for c in '\0'..=char::MAX {
            let other = seen.insert(canonical_char(c), upper_char(c));
            assert!(other.is_none_or(|other| other == upper_char(c)), "{c:?} is taken for another");
            assert_eq!(canonical_char(upper_char(c)), canonical_char(c), "{c:?}");
        }
    }

    #[test]
    fn names() {
        for good in ["alice", "Alice Müller", "svc-print", "a.b", "7", "$x"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let long = "x".repeat(ACCOUNT_NAME_CHARS + 1);
        for bad in ["", " ", "..", "a:b", "a\nb", "a@b", "D\\a", "-a", " a", "a ", "#a", &long] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn equal_names_have_equal_identities(a in "\\PC{0,4}", b in "\\PC{0,4}") {
            prop_assert_eq!(upper(&a) == upper(&b), canonical(&a) == canonical(&b));
        }
    }
}

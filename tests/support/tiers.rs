//! Test tiers: what needs foreign programs or much time runs only where it is asked for.

use std::path::PathBuf;

/// True where the environment asks for this tier; says on stdout where it does not.
pub(crate) fn asked(tier: &str, test: &str) -> bool {
    let tiers = std::env::var("DESPOOL_TIERS").unwrap_or_default();
    let asked = tiers.split(',').any(|asked| asked.trim() == tier);
    if !asked {
        println!("skipped: {test} needs DESPOOL_TIERS={tier}");
    }
    asked
}

/// A foreign program, by name or (with `/`) by its path below `/` or below what `cargo xtask test` has unpacked.
#[track_caller]
pub(crate) fn program(name: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = if name.contains('/') {
        vec!["/".into(), concat!(env!("CARGO_MANIFEST_DIR"), "/target/foreign").into()]
    } else {
        std::env::split_paths(&paths).collect()
    };
    let found = dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("there is no {name}; `cargo xtask test` installs it"))
}

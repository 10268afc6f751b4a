//! The kernel uncompressed, and its modules in the order in which they can be loaded.
//!
//! QEMU boots an uncompressed kernel by its PVH entry in half the time that the compressed one needs: decompressing it is
//! done once, here, instead of at every boot under interpretation.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::elf::modinfo;
use crate::error::{Error, Result, file};

/// Unpacks the kernel out of a bzImage (Documentation/arch/x86/boot.rst: `setup_sects`, `payload_offset`,
/// `payload_length`). The payload is XZ with the length of the result behind it. `xz` gives the program that unpacks it.
pub(crate) fn extract_vmlinux(image: &Path, into: &Path, xz: &dyn Fn() -> Command) -> Result<()> {
    let bytes = std::fs::read(image).map_err(file("reading", image))?;
    let payload = payload(&bytes)
        .ok_or_else(|| Error::Kernel { why: format!("{} is no bzImage", image.display()) })?;
    if !payload.starts_with(b"\xFD7zXZ\0") {
        return Err(Error::Kernel { why: "its image is not compressed with XZ".into() });
    }
    let out = std::fs::File::create(into).map_err(file("making", into))?;
    let failed = |why: String| Error::Program { program: "xz".into(), why };
    let mut command = xz();
    command.args(["-dc", "--single-stream"]).stdin(Stdio::piped()).stdout(out);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let fed = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(payload));
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    fed.map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| {
        let bytes: &[u8; 4] = image.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let sectors = match *image.get(0x1F1)? {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let (offset, length) = (word(0x248)?, word(0x24C)?);
    let start = (sectors + 1).checked_mul(512)?.checked_add(offset)?;
    // The last four bytes are the length of the unpacked kernel.
    image.get(start..start.checked_add(length.checked_sub(4)?)?)
}

/// The modules `wanted` and all that they need, each behind what it needs: names and files. Those built into the kernel are
/// left out.
pub(crate) fn module_order(dir: &Path, wanted: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    let mut files = BTreeMap::new();
    collect(&dir.join("kernel"), &mut files)?;
    let list = dir.join("modules.builtin");
    let builtin = std::fs::read_to_string(&list).map_err(file("reading", &list))?;
    let builtin: BTreeSet<String> = builtin.lines().map(|line| name_of(Path::new(line))).collect();
    let mut order = Order { files, builtin, done: Vec::new() };
    for name in wanted {
        order.add(&name.replace('-', "_"), 0)?;
    }
    Ok(order.done)
}

/// Dependencies are not deeper than this; a file that says so is wrong.
const DEPTH: usize = 32;

struct Order {
    files: BTreeMap<String, PathBuf>,
    builtin: BTreeSet<String>,
    done: Vec<(String, PathBuf)>,
}

impl Order {
    fn add(&mut self, name: &str, depth: usize) -> Result<()> {
        if self.builtin.contains(name) || self.done.iter().any(|(done, _)| done == name) {
            return Ok(());
        }
        let path = self.files.get(name).filter(|_| depth < DEPTH).cloned();
        let path = path.ok_or_else(|| Error::Kernel { why: format!("it has no module {name}") })?;
        let module = std::fs::read(&path).map_err(file("reading", &path))?;
        let needs = modinfo(&module, "depends").into_iter().flat_map(|list| list.split(','));
        for need in needs.filter(|need| !need.is_empty()) {
            self.add(&need.replace('-', "_"), depth.saturating_add(1))?;
        }
        self.done.push((name.to_owned(), path));
        Ok(())
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir).map_err(file("reading", dir))?.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "ko") {
            files.insert(name_of(&path), path);
        }
    }
    Ok(())
}

/// A module's name: its file's, with `_` for `-`.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::super::elf::tests::module;
    use super::*;

    #[test]
    fn modules_come_behind_what_they_need() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, depends: &str| {
            let path = dir.path().join("kernel").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, module(&format!("depends={depends}\0"))).unwrap();
        };
        put("usb/usblp.ko", "usb-core");
        put("usb/usb-core.ko", "usb-common,built-in");
        put("usb/usb-common.ko", "");
        put("loop.ko", "loop");
        std::fs::write(dir.path().join("modules.builtin"), "kernel/x/built-in.ko\n").unwrap();
        let order = module_order(dir.path(), &["usblp", "usb-core"]).unwrap();
        let names: Vec<&str> = order.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["usb_common", "usb_core", "usblp"]);
        assert!(module_order(dir.path(), &["loop"]).is_err());
        assert!(module_order(dir.path(), &["missing"]).is_err());
    }

    #[test]
    fn the_payload_lies_where_the_header_says() {
        let mut image = vec![0; 3000];
        image[0x1F1] = 1;
        image[0x248..0x250].copy_from_slice(&[0x10, 0, 0, 0, 9, 0, 0, 0]);
        image[1024 + 16..][..5].copy_from_slice(b"hello");
        assert_eq!(payload(&image), Some(&b"hello"[..]));
        assert_eq!(payload(&image[..1040]), None);
        assert_eq!(payload(b""), None);
    }
}

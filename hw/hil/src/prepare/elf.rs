//! What a kernel module says of itself: the `.modinfo` section of its ELF file.

/// The values of a key in a module's `.modinfo`. Empty where the file is no such thing.
pub(super) fn modinfo<'a>(module: &'a [u8], key: &str) -> Vec<&'a str> {
    let section = section(module, b".modinfo").unwrap_or_default();
    let entries =
        section.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
    entries.filter_map(|entry| entry.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// A section of a 64-bit little-endian ELF file (System V ABI, "Sections").
fn section<'a>(elf: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let table = number::<8>(elf, 0x28)?;
    let (size, count, names) =
        (number::<2>(elf, 0x3A)?, number::<2>(elf, 0x3C)?, number::<2>(elf, 0x3E)?);
    let header = |index: usize| elf.get(table.checked_add(index.checked_mul(size)?)?..);
    let body = |header: &[u8]| {
        let (start, length) = (number::<8>(header, 0x18)?, number::<8>(header, 0x20)?);
        elf.get(start..start.checked_add(length)?)
    };
    let names = body(header(names)?)?;
    (0..count).filter_map(header).find_map(|header| {
        let called = names.get(number::<4>(header, 0)?..)?.split(|byte| *byte == 0).next()?;
        (called == name).then(|| body(header))?
    })
}

/// A little-endian number of N bytes.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<usize> {
    let digits: &[u8; N] = bytes.get(at..)?.first_chunk()?;
    let value = digits.iter().rev().fold(0u64, |value, digit| value << 8 | u64::from(*digit));
    usize::try_from(value).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A module with nothing but its `.modinfo`.
    pub(crate) fn module(modinfo: &str) -> Vec<u8> {
        let names = b"\0.modinfo\0.shstrtab\0";
        let table = 64 + modinfo.len() + names.len();
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(0x28, 0);
        elf.extend((table as u64).to_le_bytes());
        elf.resize(0x3A, 0);
        elf.extend([64, 0, 3, 0, 2, 0]);
        elf.extend(modinfo.as_bytes());
        elf.extend(names);
        let mut header = |name: u32, start: usize, length: usize| {
            let mut header = name.to_le_bytes().to_vec();
            header.resize(0x18, 0);
            header.extend((start as u64).to_le_bytes());
            header.extend((length as u64).to_le_bytes());
            header.resize(64, 0);
            elf.extend(header);
        };
        header(0, 0, 0);
        header(1, 64, modinfo.len());
        header(10, 64 + modinfo.len(), names.len());
        elf
    }

    #[test]
    fn golden() {
        let module = module("license=GPL\0depends=usbcore,parport\0alias=a\0alias=b\0");
        assert_eq!(modinfo(&module, "depends"), ["usbcore,parport"]);
        assert_eq!(modinfo(&module, "alias"), ["a", "b"]);
        assert_eq!(modinfo(&module, "depend"), [""; 0]);
        assert_eq!(modinfo(b"no module", "depends"), [""; 0]);
    }

    #[test]
    fn fuzz_modinfo() {
        let good = module("depends=x\0");
        bolero::check!().for_each(|input: &[u8]| {
            drop(modinfo(input, "depends"));
            // The header is right, what follows is not.
            let mut elf = good.clone();
            for (at, byte) in input.iter().enumerate() {
                let at = 0x20 + (at * 7) % (good.len() - 0x20);
                elf[at] ^= byte;
            }
            drop(modinfo(&elf, "depends"));
        });
    }
}

//! The document that is printed when nobody names one: a dozen pages for a PCL printer, more than the kernel's buffers
//! hold, so that the device's pace can be seen.

/// Lines of a page.
const LINES: usize = 56;

const PAGES: u32 = 12;

/// Pages of text with line numbers, each ended by a form feed.
pub(super) fn pages() -> Vec<u8> {
    let mut document = Vec::from(*b"\x1bE");
    for page in 1..=PAGES {
        document.extend(format!("despool test page {page} of {PAGES}\r\n\r\n").into_bytes());
        for line in 1..=LINES {
            let row: String = (0..128u32).map(|column| glyph(page, line, column)).collect();
            document.extend(format!("{line:3}  {row}\r\n").into_bytes());
        }
        document.push(b'\x0c');
    }
    document.extend(*b"\x1bE");
    document
}

/// A rolling pattern of printable characters, so that a lost line would show.
fn glyph(page: u32, line: usize, column: u32) -> char {
    let line = u32::try_from(line).unwrap_or(0);
    let number = page.wrapping_add(line).wrapping_add(column) % 94;
    char::from_u32(number.saturating_add(33)).unwrap_or('?')
}

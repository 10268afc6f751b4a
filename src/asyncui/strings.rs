//! The default resource file: what a `stringID` without `resourceDll` stands for ([MS-PAN] 2.2.6).
//!
//! 128 keys with their parameters are the protocol's; the words are ours, and say the same.

/// The string of a key; `%1` … are its parameters.
pub fn default_string(id: i64) -> Option<&'static str> {
    let at = STRINGS.binary_search_by_key(&id, |(key, _)| *key).ok()?;
    STRINGS.get(at).map(|(_, words)| *words)
}

/// By key.
#[rustfmt::skip]
const STRINGS: [(i64, &str); 128] = [
    (100, "…"),
    (101, "The document was sent to the printer"),
    (102, "Document: %1\nPrinter: %2\nTime: %3\nPages: %4"),
    (103, "No paper in the printer"),
    (104, "There is no paper in printer %1."),
    (105, "The document was not printed"),
    (106, "Document: %1\nPrinter: %2\nTime: %3\nPages: %4"),
    (107, "Printer door is open"),
    (108, "A door of %1 is open."),
    (109, "Printer error"),
    (110, "%1 reports an error."),
    (111, "No toner or ink"),
    (112, "%1 has no toner or ink left."),
    (113, "Printer cannot be used"),
    (114, "%1 cannot print now."),
    (115, "Printer is off line"),
    (116, "%1 is off line."),
    (117, "Printer memory is full"),
    (118, "The memory of %1 is full."),
    (119, "Output bin is full"),
    (120, "The output bin of %1 is full."),
    (121, "Paper jam"),
    (122, "There is a paper jam in %1."),
    (123, "No paper in the printer"),
    (124, "There is no paper in %1."),
    (125, "Paper problem"),
    (126, "There is a problem with the paper of %1."),
    (127, "Printer is paused"),
    (128, "%1 has been paused."),
    (129, "Printer needs attention"),
    (130, "%1 needs somebody to look after it."),
    (131, "Toner or ink is low"),
    (132, "Toner or ink of %1 is low."),
    (600, "OK"),
    (601, "Cancel"),
    (1000, "Document: %1\n"),
    (1001, "Printer: %1\n"),
    (1002, "Paper size: %1\n"),
    (1003, "Ink: %1\n"),
    (1004, "Cartridge: %1\n"),
    (1005, "Place of the paper jam: %1\n"),
    (1006, "There is a problem with the printer"),
    (1007, "See whether something is wrong with the printer."),
    (1008, "See how the printer stands and how it is set."),
    (1009, "See whether the printer is on line and ready."),
    (1100, "The other side of the paper can be printed now."),
    (1101, "For the other sides, take the paper from the output tray and put it into the input tray, face up."),
    (1102, "For the other sides, take the paper from the output tray and put it into the input tray, face down."),
    (1200, "Then press Resume on the printer."),
    (1201, "Then press Cancel on the printer."),
    (1202, "Then press OK on the printer."),
    (1203, "Then press Online on the printer."),
    (1204, "Then press Reset on the printer."),
    (1300, "The printer is off line."),
    (1301, "The printer could not be reached. See whether it is connected to the computer."),
    (1302, "The printer does not answer. See whether it is connected to the computer."),
    (1400, "Paper jam"),
    (1401, "There is a paper jam in the printer."),
    (1402, "Clear the paper jam; the printer cannot print before."),
    (1403, "Clear the paper jam in the printer."),
    (1500, "There is no paper in the printer."),
    (1501, "Put paper into the printer."),
    (1502, "Put paper into tray %1."),
    (1503, "Put %1 paper into tray %2."),
    (1600, "The output tray is full."),
    (1601, "Empty the output tray."),
    (1700, "There is a problem with the paper"),
    (1701, "See what is wrong with the paper in the printer."),
    (1800, "The printer has no ink left"),
    (1801, "The ink cartridge is empty."),
    (1802, "The printer has no toner left."),
    (1803, "Fill in ink."),
    (1804, "Replace the ink cartridge."),
    (1805, "Fill in toner."),
    (2000, "Cyan"),
    (2001, "Magenta"),
    (2002, "Yellow"),
    (2003, "Black"),
    (2004, "Light cyan"),
    (2005, "Light magenta"),
    (2006, "Red"),
    (2007, "Green"),
    (2008, "Blue"),
    (2009, "Gloss optimizer"),
    (2010, "Photo black"),
    (2011, "Matte black"),
    (2012, "Photo cyan"),
    (2013, "Photo magenta"),
    (2014, "Light black"),
    (2015, "Ink optimizer"),
    (2016, "Photo blue"),
    (2017, "Photo gray"),
    (2018, "Photo tricolor"),
    (2100, "Cyan cartridge"),
    (2101, "Magenta cartridge"),
    (2102, "Black cartridge"),
    (2103, "CMYK cartridge"),
    (2104, "Gray cartridge"),
    (2105, "Color cartridge"),
    (2106, "Photo cartridge"),
    (2200, "A door of the printer is open."),
    (2201, "A cover of the printer is open."),
    (2202, "Close the doors of the printer; it cannot print before."),
    (2203, "Close the covers of the printer; it cannot print before."),
    (2300, "The printer does not print"),
    (2301, "Look after the printer"),
    (2302, "The memory of the printer is full"),
    (2303, "The document may come out wrong; the help says more."),
    (2400, "Ink is low"),
    (2401, "The ink cartridge is almost empty."),
    (2402, "Toner is low"),
    (2403, "Fill in ink when it is needed."),
    (2404, "Replace the ink cartridge when it is needed."),
    (2405, "Fill in toner when it is needed."),
    (2500, "The ink system does not work"),
    (2501, "The ink cartridge does not work"),
    (2502, "The toner system does not work"),
    (2503, "See what is wrong with the ink system."),
    (2504, "See what is wrong with the ink cartridge."),
    (2505, "See what is wrong with the toner system."),
    (2506, "See whether the ink cartridge sits in its place."),
    (2600, "The printer was paused"),
    (2601, "%1 does not print: it was paused at the device."),
    (2602, "%1 does not print: it was set off line at the device."),
    (2700, "The document was printed."),
    (2701, "The document lies in the output tray."),
    (2702, "%1!d! document(s) wait for %2"),
    (2703, "(unknown)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_the_parameters_of_the_protocol() {
        assert!(STRINGS.is_sorted_by_key(|(key, _)| *key));
        for (key, words) in STRINGS {
            let expected = match key {
                102 | 106 => 4,
                1503 | 2702 => 2,
                104..=132 if key % 2 == 0 => 1,
                1000..=1005 | 1502 | 2601 | 2602 => 1,
                _ => 0,
            };
            assert_eq!(words.matches('%').count(), expected, "{key}: {words}");
            for n in 1..=expected {
                assert!(words.contains(&format!("%{n}")), "{key}: {words}");
            }
        }
        assert_eq!(default_string(600), Some("OK"));
        assert_eq!(default_string(99), None);
    }
}

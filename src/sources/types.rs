//! The notification types that a despool server publishes, by GUID and by name.

use crate::notify::NotificationType;

/// `AsyncPrintNotificationType_AsyncUI`: balloons (unidirectional) and message boxes (bidirectional). Payload:
/// [`crate::asyncui`].
pub const ASYNCUI: NotificationType =
    NotificationType::new(0xf685_3f92_eb31_4e23_b6e7_fd69_0561_53f0);

/// Printer configuration, unidirectional, as the Windows SDK has the GUID (`PRINT_APP_BIDI_NOTIFY_CHANNEL`). Payload:
/// [`crate::bidi`].
pub const PRINTER_CONFIGURATION: NotificationType =
    NotificationType::new(0x2aba_d223_b994_4aca_82fc_4571_b1b5_85ac);

/// The same as [MS-PAN] prints the GUID, with `82fd` and a hyphen left out: probably a misprint, and perhaps somebody
/// believes it. Everything is published under both.
pub const PRINTER_CONFIGURATION_AS_PRINTED: NotificationType =
    NotificationType::new(0x2aba_d223_b994_4aca_82fd_4571_b1b5_85ac);

/// Jobs, unidirectional. Payload: JSON.
pub const JOB: NotificationType = NotificationType::new(0x5d1c_0b52_8f0e_4d55_9b3a_6d1f_3c7a_1e01);

/// Printers, unidirectional. Payload: JSON.
pub const PRINTER: NotificationType =
    NotificationType::new(0x5d1c_0b52_8f0e_4d55_9b3a_6d1f_3c7a_1e02);

/// Ports, unidirectional. Payload: JSON.
pub const PORT: NotificationType = NotificationType::new(0x5d1c_0b52_8f0e_4d55_9b3a_6d1f_3c7a_1e03);

/// All of them by name.
pub const NAMES: [(&str, NotificationType); 5] = [
    ("asyncui", ASYNCUI),
    ("printer-configuration", PRINTER_CONFIGURATION),
    ("job", JOB),
    ("printer", PRINTER),
    ("port", PORT),
];

/// The type of this name.
pub fn named(name: &str) -> Option<NotificationType> {
    NAMES.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, guid)| *guid)
}

/// The name of this type.
pub fn name_of(guid: NotificationType) -> Option<&'static str> {
    if guid == PRINTER_CONFIGURATION_AS_PRINTED {
        return Some("printer-configuration");
    }
    NAMES.iter().find(|(_, one)| *one == guid).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guids_that_are_promised() {
        for (name, guid) in [
            ("asyncui", "f6853f92-eb31-4e23-b6e7-fd69056153f0"),
            ("printer-configuration", "2abad223-b994-4aca-82fc-4571b1b585ac"),
            ("job", "5d1c0b52-8f0e-4d55-9b3a-6d1f3c7a1e01"),
            ("printer", "5d1c0b52-8f0e-4d55-9b3a-6d1f3c7a1e02"),
            ("port", "5d1c0b52-8f0e-4d55-9b3a-6d1f3c7a1e03"),
        ] {
            let found = named(&name.to_uppercase()).unwrap();
            assert_eq!(found.to_string(), guid);
            assert_eq!(name_of(found), Some(name));
        }
        let misprint = "2abad223-b994-4aca-82fd-4571b1b585ac";
        assert_eq!(PRINTER_CONFIGURATION_AS_PRINTED.to_string(), misprint);
    }
}

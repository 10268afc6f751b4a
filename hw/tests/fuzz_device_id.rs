//! Fuzz target: any bytes are a device id that survives being sent again, or none.

use despool_hw::{DeviceId, limits};

#[test]
fn fuzz_device_id() {
    bolero::check!().for_each(|input: &[u8]| {
        if let Some(id) = DeviceId::parse(input) {
            assert!(id.raw.len() <= limits::DEVICE_ID_BYTES);
            assert!(!id.raw.chars().any(char::is_control));
            assert_eq!(DeviceId::parse(&id.to_bytes()), Some(id));
        }
    });
}

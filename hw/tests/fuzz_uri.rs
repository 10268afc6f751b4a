//! Fuzz target: any text is a device URI that is read back as written, or a refusal that points into it.

use despool_hw::DeviceUri;

#[test]
fn fuzz_uri() {
    bolero::check!().for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        match text.parse::<DeviceUri>() {
            Ok(uri) => {
                assert_eq!(uri.to_string().parse(), Ok(uri.clone()));
                assert_eq!(uri.port_key(), uri.port_key());
            }
            Err(error) => {
                assert_eq!(text.get(error.range()), Some(error.part()));
                assert!(!error.to_string().chars().any(char::is_control));
            }
        }
    });
}

use super::*;
use crate::rpc::auth::ntlm::message::{Authenticate, Challenge};
use crate::rpc::auth::ntlm::response::{self, Blob};
use crate::rpc::auth::ntlm::tests::{AUTHENTICATE, CHALLENGE, SERVER_CHALLENGE, hex};

/// RFC 2202, cases 1 and 2 of HMAC-MD5 (the second's key is shorter than 16 octets, so zeros are behind it).
#[test]
fn known_codes() {
    assert_eq!(
        hmac_md5(&[0x0B; 16], &[b"Hi ", b"There"]).as_slice(),
        hex("9294727a3638bb1c13f48ef8158bfc9d")
    );
    let mut key = [0; 16];
    key[..4].copy_from_slice(b"Jefe");
    let code = hmac_md5(&key, &[b"what do ya want for nothing?"]);
    assert_eq!(code.as_slice(), hex("750c783e6ab0b503eaa86e310a5db738"));
}

/// [MS-NLMP] 4.2.4.1 to 4.2.4.3, from the password to the keys.
#[test]
fn from_the_password_to_the_keys() {
    let key = response_key(&NtHash::of("Password"), "User", "Domain");
    assert_eq!(key.as_slice(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));

    let challenge = Challenge::decode(&hex(CHALLENGE)).unwrap();
    assert_eq!(challenge.server_challenge, SERVER_CHALLENGE);
    let blob = Blob { time: 0, client_challenge: [0xAA; 8], pairs: challenge.target_info };
    let blob = blob.encode();
    let proof = proof(&key, &SERVER_CHALLENGE, &blob);
    assert_eq!(proof.as_slice(), hex("68cd0ab851e51c96aabc927bebef6a1c"));
    let message = Authenticate::decode(&hex(AUTHENTICATE)).unwrap();
    assert_eq!(response::split(&message.nt_response), Ok((&proof, blob.as_slice())));

    let base = session_base_key(&key, &proof);
    assert_eq!(base.as_slice(), hex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let exported = exchange_key(&base, message.session_key.as_slice().try_into().unwrap());
    assert_eq!(*exported, [0x55; 16]);
    assert_eq!(*exchange_key(&base, &[0x55; 16]), message.session_key.as_slice());
}

/// [MS-NLMP] 4.2.4.4
#[test]
fn keys_of_a_direction() {
    let key = Key::new([0x55; 16]);
    assert_eq!(sealing_key(&key, Side::Client).as_slice(), hex("59f600973cc4960a25480a7c196e4c58"));
    assert_eq!(signing_key(&key, Side::Client).as_slice(), hex("4788dc861b4782f35d43fd98fe1a2d39"));
    assert_ne!(sealing_key(&key, Side::Server), sealing_key(&key, Side::Client));
    assert_ne!(signing_key(&key, Side::Server), signing_key(&key, Side::Client));
}

#[test]
fn the_name_without_regard_to_case_the_domain_with() {
    let key = |user, domain| response_key(&NtHash::of("Password"), user, domain);
    assert_eq!(key("uSER", "Domain"), key("User", "Domain"));
    assert_ne!(key("User", "DOMAIN"), key("User", "Domain"));
}

use super::*;
use crate::rpc::auth::ntlm::crypto::hmac_md5;
use crate::rpc::auth::ntlm::tests::hex;

/// What [MS-NLMP] 4.2.4 agrees on.
const AGREED: Flags = Flags(0xE288_8235);

fn pair(flags: Flags) -> (NtlmSession, NtlmSession) {
    let key = Key::new([0x55; 16]);
    (
        NtlmSession::new(&key, flags, Side::Client, true),
        NtlmSession::new(&key, flags, Side::Server, true),
    )
}

/// [MS-NLMP] 4.2.4.4
#[test]
fn golden_seal() {
    let (mut client, mut server) = pair(AGREED);
    let plain = hex("50006c00610069006e007400650078007400");
    let mut pdu = plain.clone();
    let signature = client.protect(&mut pdu, 0..18, Level::Privacy).unwrap();
    assert_eq!(pdu, hex("54e50165bf1936dc996020c1811b0f06fb5f"));
    assert_eq!(signature, hex("01000000 7fb38ec5c55d4976 00000000"));
    server.check(&mut pdu, 0..18, &signature, Level::Privacy).unwrap();
    assert_eq!(pdu, plain);
}

#[test]
fn only_the_stub_is_sealed_but_all_is_signed() {
    for part in 0..3 {
        let (mut client, mut server) = pair(AGREED);
        let mut pdu = *b"head stub tail";
        let signature = client.protect(&mut pdu, 5..9, Level::Privacy).unwrap();
        assert_eq!((&pdu[..5], &pdu[9..]), (b"head ".as_slice(), b" tail".as_slice()));
        assert_ne!(&pdu[5..9], b"stub");
        pdu[part * 5] ^= 1;
        let outcome = server.check(&mut pdu, 5..9, &signature, Level::Privacy);
        assert_eq!(outcome, Err(Refusal::Tampered("a signature does not fit")));
    }
}

#[test]
fn in_order_or_not_at_all() {
    for level in [Level::Packet, Level::Integrity, Level::Privacy] {
        let (mut client, mut server) = pair(AGREED);
        let mut send = |text: &[u8]| {
            let mut pdu = text.to_vec();
            let signature = client.protect(&mut pdu, 0..text.len(), level).unwrap();
            (pdu, signature)
        };
        let (first, second, third) = (send(b"first"), send(b"second"), send(b"third"));
        let mut check = |(pdu, signature): &(Vec<u8>, Vec<u8>)| {
            let mut pdu = pdu.clone();
            let stub = 0..pdu.len();
            server.check(&mut pdu, stub, signature, level).map(|()| pdu)
        };
        assert_eq!(check(&first), Ok(b"first".to_vec()));
        assert!(check(&third).is_err(), "one is missing");
        let spent = Err(Refusal::Tampered("the session ended with a failure"));
        assert_eq!(check(&second), spent, "what would have been right is too late");
    }
}

#[test]
fn a_signature_again_is_refused() {
    let (mut client, mut server) = pair(AGREED);
    let mut pdu = b"pay".to_vec();
    let signature = client.protect(&mut pdu, 0..3, Level::Integrity).unwrap();
    server.check(&mut pdu, 0..3, &signature, Level::Integrity).unwrap();
    server.check(&mut pdu, 0..3, &signature, Level::Integrity).unwrap_err();
}

#[test]
fn signatures_of_another_length_are_refused() {
    for length in [0, 8, 15, 17] {
        let (mut client, mut server) = pair(AGREED);
        let mut pdu = b"pdu".to_vec();
        let mut signature = client.protect(&mut pdu, 0..3, Level::Integrity).unwrap();
        signature.resize(length, 0);
        server.check(&mut pdu, 0..3, &signature, Level::Integrity).unwrap_err();
    }
}

#[test]
fn a_peer_s_own_pdu_is_not_for_himself() {
    let (mut client, _) = pair(AGREED);
    let mut pdu = b"pdu".to_vec();
    let signature = client.protect(&mut pdu, 0..3, Level::Integrity).unwrap();
    client.check(&mut pdu, 0..3, &signature, Level::Integrity).unwrap_err();
}

#[test]
fn nothing_beyond_what_was_agreed_on() {
    let signing = Flags(AGREED.0 & !Flags::SEAL.0);
    let (mut client, _) = pair(signing);
    let mut pdu = b"pdu".to_vec();
    let outcome = client.protect(&mut pdu, 0..3, Level::Privacy);
    assert_eq!(outcome, Err(Refusal::Weak("no encryption")));
    assert_eq!(pdu, b"pdu");
    client.protect(&mut pdu, 0..3, Level::Integrity).unwrap();
    client.protect(&mut pdu, 2..9, Level::Privacy).unwrap_err();
    let (mut client, mut server) = pair(Flags(signing.0 & !Flags::SIGN.0));
    client.protect(&mut pdu, 0..3, Level::Packet).unwrap_err();
    assert_eq!(client.protect(&mut pdu, 0..3, Level::Connect), Ok(Vec::new()));
    for signature in [&[][..], &hex("01000000000000000000000000000000")] {
        server.check(&mut pdu, 0..3, signature, Level::Connect).unwrap();
    }
}

/// [MS-SPNG] 3.3.5.1: the stream is put back, the number is not.
#[test]
fn a_mic_beside_the_pdus() {
    let (mut client, mut server) = pair(AGREED);
    let (ours, theirs) = (client.mic(b"list"), server.mic(b"list"));
    server.check_mic(b"list", &ours).unwrap();
    client.check_mic(b"list", &theirs).unwrap();
    let mut pdu = hex("50006c00610069006e007400650078007400");
    let signature = client.protect(&mut pdu, 0..18, Level::Privacy).unwrap();
    assert_eq!(
        pdu,
        hex("54e50165bf1936dc996020c1811b0f06fb5f"),
        "the stream begins at its beginning"
    );
    assert_eq!(signature[12..], [1, 0, 0, 0], "the number goes on");
    server.check(&mut pdu, 0..18, &signature, Level::Privacy).unwrap();

    let (mut client, mut server) = pair(AGREED);
    let ours = client.mic(b"list");
    server.check_mic(b"another list", &ours).unwrap_err();
    server.protect(&mut pdu, 0..18, Level::Privacy).unwrap_err();
}

#[test]
fn without_a_key_exchange_the_checksum_is_plain() {
    let (mut client, mut server) = pair(Flags(AGREED.0 & !Flags::KEY_EXCHANGE.0));
    for n in 0..3_u32 {
        let mut pdu = b"pdu".to_vec();
        let signature = client.protect(&mut pdu, 0..3, Level::Privacy).unwrap();
        let key = signing_key(&Key::new([0x55; 16]), Side::Client);
        assert_eq!(signature[4..12], hmac_md5(&key, &[&n.to_le_bytes(), b"pdu"])[..8]);
        server.check(&mut pdu, 0..3, &signature, Level::Privacy).unwrap();
        assert_eq!(pdu, b"pdu");
    }
}

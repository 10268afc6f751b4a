use proptest::prelude::*;

use super::*;
use crate::rpc::auth::ntlm::av_pairs::{AvId, AvPairs};
use crate::rpc::auth::ntlm::flags::Flags;
use crate::rpc::auth::ntlm::response::{self, Blob};
use crate::rpc::auth::ntlm::tests::{AUTHENTICATE, CHALLENGE, SERVER_CHALLENGE, hex};

#[test]
fn golden_negotiate() {
    let golden = hex(
        "4e544c4d53535000 01000000 358208e2 0000000028000000 0000000028000000 060100000000000f",
    );
    let message = Negotiate { flags: Flags(0xE208_8235) };
    assert_eq!(message.encode(), golden);
    assert_eq!(Negotiate::decode(&golden), Ok(message.clone()));
    assert_eq!(Negotiate::decode(&golden[..16]), Ok(message), "an old client's ends here");
}

#[test]
fn golden_challenge() {
    let golden = hex(CHALLENGE);
    let mut target_info = AvPairs::default();
    target_info.put_text(AvId::NB_DOMAIN, "Domain");
    target_info.put_text(AvId::NB_COMPUTER, "Server");
    let message = Challenge {
        flags: Flags(0xE28A_8233),
        server_challenge: SERVER_CHALLENGE,
        target_name: "Server".into(),
        target_info,
        version: hex("060070170000000f").try_into().unwrap(),
    };
    assert_eq!(message.encode(), golden);
    assert_eq!(Challenge::decode(&golden), Ok(message));
}

#[test]
fn golden_authenticate() {
    let golden = hex(AUTHENTICATE);
    let message = Authenticate::decode(&golden).unwrap();
    assert_eq!(
        (&*message.domain, &*message.user, &*message.workstation),
        ("Domain", "User", "COMPUTER")
    );
    assert_eq!((message.flags, message.mic), (Flags(0xE288_8235), None));
    assert_eq!(message.lm_response, hex("86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"));
    assert_eq!(message.encode(), golden);
    assert_eq!(
        format!("{message:?}"),
        "Authenticate { domain: \"Domain\", user: \"User\", workstation: \"COMPUTER\", flags: Flags(3800597045), mic: false, .. }"
    );
}

#[test]
fn a_mic_is_there_where_there_is_room() {
    let message = Authenticate::decode(&hex(AUTHENTICATE)).unwrap();
    let message = Authenticate { mic: Some([7; 16]), ..message };
    let octets = message.encode();
    assert_eq!(octets[MIC_AT], [7; 16]);
    assert_eq!(Authenticate::decode(&octets), Ok(message));
}

#[test]
fn what_is_refused() {
    let good = hex(AUTHENTICATE);
    let with = |at: usize, octets: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + octets.len()].copy_from_slice(octets);
        Authenticate::decode(&bad).unwrap_err().to_string()
    };
    for (octets, why) in [
        (with(0, b"X"), "its token is malformed: no NTLM message"),
        (with(8, &[1]), "its token is malformed: another NTLM message was due"),
        (with(24, &[0xFF; 4]), "its token is malformed: a field lies outside of its NTLM message"),
        (with(20, &[0xFF; 2]), "its token is malformed: a field lies outside of its NTLM message"),
        (
            with(24, &[12, 0]),
            "its token is malformed: a field lies in the head of its NTLM message",
        ),
        (with(28, &[11]), "its token is malformed: a text is not UTF-16"),
        (with(84, &[0, 0xD8]), "its token is malformed: a text is not UTF-16"),
        (with(60, &[0x34]), "it offers too little: no Unicode"),
    ] {
        assert_eq!(octets, why);
    }
    for length in 0..good.len() {
        Authenticate::decode(&good[..length]).unwrap_err();
    }
    let long = [good, vec![0; NTLM_MESSAGE_BYTES]].concat();
    assert_eq!(Authenticate::decode(&long), Err(Refusal::Malformed("NTLM message too long")));
}

#[test]
fn pairs() {
    let mut pairs = AvPairs::default();
    pairs.put_text(AvId::DNS_DOMAIN, "");
    assert_eq!(pairs.encode(), hex("00000000"), "an empty text is left out");
    assert!(!pairs.promise_mic());
    pairs.put(AvId::FLAGS, vec![1, 0, 0, 0]);
    pairs.set_mic();
    pairs.put(AvId::TIMESTAMP, 5_u64.to_le_bytes().to_vec());
    assert_eq!(pairs.encode(), hex("06000400 03000000 07000800 0500000000000000 00000000"));
    assert!(pairs.promise_mic());
    assert_eq!(pairs.timestamp(), Some(5));

    let endless = hex("0200 0000").repeat(40);
    assert_eq!(AvPairs::decode(&endless), Err(Refusal::Malformed("too many AV pairs")));
    assert_eq!(
        AvPairs::decode(&hex("02000400 0000")),
        Err(Refusal::Malformed("NTLM message cut short"))
    );
    assert_eq!(
        AvPairs::decode(&hex("02000000")),
        Err(Refusal::Malformed("NTLM message cut short"))
    );
}

#[test]
fn responses_that_are_not_ntlmv2() {
    for (length, expected) in [
        (0, Refusal::Weak("an LM response only")),
        (24, Refusal::Weak("an NTLMv1 response")),
        (15, Refusal::Malformed("the NT response is cut short")),
    ] {
        assert_eq!(response::split(&vec![0; length]), Err(expected));
    }
    assert_eq!(
        Blob::decode(&hex("0102 000000000000")),
        Err(Refusal::Malformed("the NTLMv2 response has an unknown version"))
    );
}

fn pairs_strategy() -> impl Strategy<Value = AvPairs> {
    let pair = (1..40_u16, prop::collection::vec(any::<u8>(), 0..20));
    prop::collection::vec(pair, 0..10).prop_map(|list| {
        let mut pairs = AvPairs::default();
        list.into_iter().for_each(|(id, value)| pairs.put(AvId(id), value));
        pairs
    })
}

proptest! {
    #[test]
    fn challenges_read_back(
        flags: u32, server_challenge: [u8; 8], target_name in "\\PC{0,20}",
        target_info in pairs_strategy(), version: [u8; 8],
    ) {
        let flags = Flags(flags) | Flags::TARGET_INFO;
        let message = Challenge { flags, server_challenge, target_name, target_info, version };
        prop_assert_eq!(Challenge::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn authenticates_read_back(
        texts in prop::array::uniform3("\\PC{0,12}"), octets: [Vec<u8>; 3], flags: u32,
        version: [u8; 8], mic: Option<[u8; 16]>,
    ) {
        let ([domain, user, workstation], [lm_response, nt_response, session_key]) = (texts, octets);
        let flags = Flags(flags) | Flags::UNICODE;
        let message = Authenticate {
            lm_response, nt_response, domain, user, workstation, session_key, flags, version, mic,
        };
        // Nothing behind the head at all: then a MIC cannot be told from its absence, and there is none to lose.
        prop_assume!(!message.nt_response.is_empty());
        prop_assert_eq!(Authenticate::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn blobs_read_back(time: u64, client_challenge: [u8; 8], pairs in pairs_strategy()) {
        let blob = Blob { time, client_challenge, pairs };
        prop_assert_eq!(Blob::decode(&blob.encode()), Ok(blob));
    }
}

use proptest::prelude::*;

use super::*;
use crate::rpc::auth::ntlm::tests::hex;

/// What Samba 4.17 begins with: NTLM only.
const INIT: &str = "60 1c 0606 2b0601050502 a0 12 30 10
    a0 0e 30 0c 060a 2b06010401823702020a";

/// A server's first word, with hints ([MS-SPNG] 2.2.1).
const INIT_2: &str = "60 48 0606 2b0601050502 a0 3e 30 3c
    a0 0e 30 0c 060a 2b06010401823702020a
    a3 2a 30 28 a0 26 1b 24
        6e6f745f646566696e65645f696e5f5246433431373840706c656173655f69676e6f7265";

/// State, mechanism, token and MIC.
const RESP: &str = "a1 25 30 23 a0 03 0a0101 a1 0c 060a 2b06010401823702020a
    a2 05 0403 010203 a3 07 0405 0405060708";

fn init() -> Init {
    let mechanisms = Mechanisms::new(vec![oid::NTLM]);
    Init { mechanisms, token: None, hints: false, mic: None }
}

#[test]
fn golden_both_ways() {
    let resp = Resp {
        state: Some(NegState::AcceptIncomplete),
        mechanism: Some(oid::NTLM),
        token: Some(vec![1, 2, 3]),
        mic: Some(vec![4, 5, 6, 7, 8]),
    };
    for (golden, token) in [
        (INIT, Token::Init(init())),
        (INIT_2, Token::Init(Init { hints: true, ..init() })),
        (RESP, Token::Resp(resp)),
        ("a1 02 30 00", Token::Resp(Resp::default())),
        (
            "a1 07 30 05 a0 03 0a0100",
            Token::Resp(Resp { state: Some(NegState::AcceptCompleted), ..Resp::default() }),
        ),
        (
            "a1 07 30 05 a2 03 0401 09",
            Token::Resp(Resp { token: Some(vec![9]), ..Resp::default() }),
        ),
    ] {
        assert_eq!(token.encode(), hex(golden), "{token:?}");
        assert_eq!(Token::decode(&hex(golden)), Ok(token));
    }
}

/// The list is signed as it came, in whatever form.
#[test]
fn the_list_keeps_its_octets() {
    let token =
        hex("60 1e 0606 2b0601050502 a0 14 30 12 a0 10 30 81 0d 06 81 0a 2b06010401823702020a");
    let Ok(Token::Init(init)) = Token::decode(&token) else { panic!("refused") };
    assert_eq!(init.mechanisms.list(), [oid::NTLM]);
    assert_eq!(init.mechanisms.der(), hex("30 81 0d 06 81 0a 2b06010401823702020a"));
}

#[test]
fn flags_are_skipped_and_mics_are_read() {
    let fields = "a0 0e 30 0c 060a 2b06010401823702020a a1 04 03020176 a2 03 0401 07 a3 03 0401 08";
    let decoded = Init::decode(&hex(fields)).unwrap();
    assert_eq!(decoded, Init { token: Some(vec![7]), mic: Some(vec![8]), ..init() });
}

#[test]
fn what_is_refused() {
    for (octets, why) in [
        ("", "no SPNEGO token"),
        ("4e544c4d53535000", "no SPNEGO token"),
        ("60 0d 0609 2a864886f712010202 0100", "a GSS-API token, but not of SPNEGO"),
        ("60 0c 0606 2b0601050502 a0 02 30 00", "a NegTokenInit without mechanisms"),
        (
            "60 1c 0606 2b0601050502 a0 12 30 10 a0 0e 30 0c 040a 2b06010401823702020a",
            "the list of mechanisms",
        ),
        ("a1 02 30 00 00", "octets behind DER"),
        ("a1 07 30 05 a0 03 0a0104", "an unknown state in a SPNEGO token"),
        ("a1 08 30 06 a0 04 0a020000", "an unknown state in a SPNEGO token"),
        ("a1 0c 30 0a a0 03 0a0101 a0 03 0a0101", "a field is twice in a SPNEGO token"),
        ("a1 04 30 02 02 00", "an unknown field in a SPNEGO token"),
        ("a1 07 30 05 a2 03 0a0101", "another DER element was due"),
    ] {
        let octets = hex(octets);
        assert_eq!(Token::decode(&octets), Err(Refusal::Malformed(why)), "{octets:02x?}");
    }
    let many = Mechanisms::new(vec![oid::NTLM; SPNEGO_MECHANISMS + 1]);
    let many = Token::Init(Init { mechanisms: many, ..init() }).encode();
    assert_eq!(Token::decode(&many), Err(Refusal::Malformed("the list of mechanisms")));
    for golden in [INIT, INIT_2, RESP] {
        let golden = hex(golden);
        for length in 0..golden.len() {
            Token::decode(&golden[..length]).unwrap_err();
        }
    }
}

fn states() -> impl Strategy<Value = Option<NegState>> {
    prop::option::of(prop::sample::select(STATES.map(|(_, state)| state).to_vec()))
}

fn oids() -> impl Strategy<Value = Oid> {
    prop::collection::vec(any::<u8>(), 0..140).prop_map(|octets| Oid(octets.into()))
}

proptest! {
    #[test]
    fn inits_read_back(
        list in prop::collection::vec(oids(), 0..6), token: Option<Vec<u8>>, hints: bool,
        mic: Option<Vec<u8>>,
    ) {
        let token = Token::Init(Init { mechanisms: Mechanisms::new(list), token, hints, mic });
        prop_assert_eq!(Token::decode(&token.encode()), Ok(token));
    }

    #[test]
    fn resps_read_back(
        state in states(), mechanism in prop::option::of(oids()), token: Option<Vec<u8>>,
        mic: Option<Vec<u8>>,
    ) {
        let token = Token::Resp(Resp { state, mechanism, token, mic });
        prop_assert_eq!(Token::decode(&token.encode()), Ok(token));
    }

    #[test]
    fn any_octets_get_an_answer(octets: Vec<u8>) {
        let _ = Token::decode(&octets);
        let _ = Token::decode(&element(APPLICATION_0, &[&octets]));
        let _ = Token::decode(&element(context(1), &[&element(SEQUENCE, &[&octets])]));
    }
}

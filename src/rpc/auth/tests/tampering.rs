//! Whoever stands between the initiator and the acceptor, and changes what they say.

use super::*;

/// Every single bit of every token: wherever one is flipped, somebody refuses.
#[test]
fn any_flipped_bit_is_refused() {
    let accounts = accounts("alice", "secret");
    for auth_type in TYPES {
        let mut lengths = Vec::new();
        let exchange =
            || (client(auth_type, Level::Privacy), server(&accounts, auth_type, Level::Privacy));
        let (client, server) = exchange();
        run(client, server, |_, token| lengths.push(token.len())).ok().unwrap();
        for (at, length) in lengths.iter().enumerate() {
            for bit in 0..length * 8 {
                let (client, server) = exchange();
                let outcome = run(client, server, |n, token| {
                    if n == at {
                        // Lengths differ by what DER needs for them: the same bit of what there is.
                        let bit = bit % (token.len() * 8);
                        token[bit / 8] ^= 1 << (bit % 8);
                    }
                });
                // SPNEGO's own fields may say another thing that is as good; the keys must then be the same.
                if let Ok((mut client, mut server, peer)) = outcome {
                    assert_eq!(auth_type, GSS_NEGOTIATE, "token {at}, bit {bit}");
                    assert_eq!(&*peer.id, "workgroup\\alice");
                    talk(&mut *client, &mut *server, Level::Privacy, &[vec![1; 30], vec![2; 30]]);
                }
            }
        }
    }
}

#[test]
fn a_token_again_is_refused() {
    let accounts = accounts("alice", "secret");
    let mut tokens = Vec::new();
    run(client(WINNT, Level::Privacy), server(&accounts, WINNT, Level::Privacy), |_, token| {
        tokens.push(token.clone());
    })
    .ok()
    .unwrap();
    let mut again = server(&accounts, WINNT, Level::Privacy);
    assert!(matches!(again.step(&tokens[0]), Step::More(_)));
    let denied = Refusal::Denied { account: "WORKGROUP\\ALICE".into() };
    assert!(matches!(again.step(&tokens[2]), Step::Refused(why) if why == denied));
    let over = Refusal::Malformed("the exchange is over");
    assert!(matches!(again.step(&tokens[2]), Step::Refused(why) if why == over));
    assert!(matches!(again.step(&tokens[0]), Step::Refused(why) if why == over));
}

/// Changes the message of this kind in the way of an exchange of bare NTLM.
fn tampered(level: Level, kind: u8, change: impl Fn(&mut Vec<u8>)) -> Refusal {
    let accounts = accounts("alice", "secret");
    let outcome = run(client(WINNT, level), server(&accounts, WINNT, level), |_, token| {
        if token.get(8) == Some(&kind) {
            change(token);
        }
    });
    outcome.err().unwrap()
}

#[test]
fn weak_flags_are_refused() {
    for (level, flag, why) in [
        (Level::Connect, Flags::EXTENDED_SESSION_SECURITY, "no extended session security"),
        (Level::Packet, Flags::BITS_128, "no keys of 128 bits"),
        (Level::Packet, Flags::SIGN, "no signatures"),
        (Level::Integrity, Flags::SIGN, "no signatures"),
        (Level::Privacy, Flags::SEAL, "no encryption"),
        (Level::Privacy, Flags::UNICODE, "no Unicode"),
        (Level::Privacy, Flags::NTLM, "no NTLM"),
    ] {
        let negotiate = tampered(level, 1, |token| {
            let flags = Negotiate::decode(token).unwrap().flags;
            *token = Negotiate { flags: Flags(flags.0 & !flag.0) }.encode();
        });
        assert_eq!(negotiate, Refusal::Weak(why), "asked for");
        let challenge = tampered(level, 2, |token| {
            let message = Challenge::decode(token).unwrap();
            let flags = Flags(message.flags.0 & !flag.0);
            *token = Challenge { flags, ..message }.encode();
        });
        assert_eq!(challenge, Refusal::Weak(why), "offered");
        let authenticate = tampered(level, 3, |token| {
            let message = Authenticate::decode(token).unwrap();
            let flags = Flags(message.flags.0 & !flag.0);
            *token = Authenticate { flags, ..message }.encode();
        });
        // Who agrees on no signatures is let in, and then has a session that refuses all there is (here the MIC tells).
        let why = match flag {
            Flags::SIGN => Refusal::Tampered("the MIC does not fit"),
            _ => Refusal::Weak(why),
        };
        assert_eq!(authenticate, why, "agreed on");
    }
}

fn with(change: impl Fn(Authenticate) -> Authenticate) -> Refusal {
    tampered(Level::Privacy, 3, |token| {
        *token = change(Authenticate::decode(token).unwrap()).encode();
    })
}

#[test]
fn old_responses_and_nobody_are_refused() {
    let anonymous = |message| Authenticate {
        user: String::new(),
        domain: String::new(),
        nt_response: Vec::new(),
        lm_response: vec![0],
        ..message
    };
    assert_eq!(with(anonymous), Refusal::Weak("anonymous"));
    let flagged = |message: Authenticate| {
        let flags = message.flags | Flags::ANONYMOUS;
        Authenticate { flags, ..message }
    };
    assert_eq!(with(flagged), Refusal::Weak("anonymous"));
    let nt_response = || vec![0; 24];
    let v1 = with(|message| Authenticate { nt_response: nt_response(), ..message });
    assert_eq!(v1, Refusal::Weak("an NTLMv1 response"));
    let lm = with(|message| Authenticate { nt_response: Vec::new(), ..message });
    assert_eq!(lm, Refusal::Weak("an LM response only"));
}

#[test]
fn a_mic_that_was_promised_must_be_there_and_fit() {
    let missing = with(|message| Authenticate { mic: None, ..message });
    assert_eq!(missing, Refusal::Tampered("the MIC that was promised is missing"));
    let zero = with(|message| Authenticate { mic: Some([0; 16]), ..message });
    assert_eq!(zero, Refusal::Tampered("the MIC does not fit"));
    let key = with(|message| Authenticate { session_key: vec![0; 15], ..message });
    assert_eq!(key, Refusal::Malformed("the session key has no 16 bytes"));
    let greeting = tampered(Level::Privacy, 1, |token| token[20] ^= 1);
    assert_eq!(greeting, Refusal::Tampered("the MIC does not fit"));
}

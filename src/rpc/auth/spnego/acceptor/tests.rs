//! Both sides of SPNEGO, with mechanisms of our own making in the place of those that will join later.

use std::ops::Range;
use std::sync::Mutex;

use super::*;
use crate::rpc::auth::Session;
use crate::rpc::auth::spnego::initiator::{Initiator, Offer};
use crate::rpc::auth::spnego::oid;

/// A mechanism in which each side says `legs` words, the client first; the last one may be the server's (as Kerberos) or the
/// client's (as NTLM).
#[derive(Clone)]
struct Toy {
    oids: Vec<Oid>,
    legs: usize,
    context: ToyContext,
    /// What the server's conversations were told.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

#[derive(Clone)]
struct ToyContext {
    can_sign: bool,
    insists: bool,
    /// Signs with this.
    key: u8,
}

impl Session for ToyContext {
    fn signature_bytes(&self) -> usize {
        1
    }

    fn protect(&mut self, _: &mut [u8], _: Range<usize>, _: Level) -> Result<Vec<u8>, Refusal> {
        Ok(vec![self.key])
    }

    fn check(&mut self, _: &mut [u8], _: Range<usize>, _: &[u8], _: Level) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Context for ToyContext {
    fn can_sign(&self) -> bool {
        self.can_sign
    }

    fn insists_on_mic(&self) -> bool {
        self.insists
    }

    fn mic(&mut self, message: &[u8]) -> Vec<u8> {
        [&[self.key], message].concat()
    }

    fn check_mic(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        let good = self.mic(message) == mic;
        if good { Ok(()) } else { Err(Refusal::Tampered("toy MIC")) }
    }
}

struct ToySide {
    toy: Toy,
    said: usize,
    is_server: bool,
}

impl Conversation for ToySide {
    fn step(&mut self, token: &[u8]) -> Step<dyn Context> {
        if self.is_server {
            self.toy.heard.lock().unwrap().push(token.to_vec());
        }
        // Words are counted over both sides: the client says 0, 2 …, the server 1, 3 …
        let heard = token.first().map_or(-1, |word| i32::from(*word));
        let next = u8::try_from(heard + 1).unwrap();
        self.said += 1;
        let last = self.toy.legs - 1;
        let done = |token| Step::Done {
            token,
            session: Box::new(self.toy.context.clone()) as Box<dyn Context>,
            peer: None,
        };
        match usize::from(next) {
            n if n > last => done(Vec::new()),
            n if n == last => done(vec![next]),
            _ => Step::More(vec![next]),
        }
    }
}

impl Mechanism for Toy {
    fn oids(&self) -> &[Oid] {
        &self.oids
    }

    fn accept(&self, _: Level) -> Box<dyn Conversation> {
        Box::new(ToySide { toy: self.clone(), said: 0, is_server: true })
    }

    fn knows(&self, token: &[u8]) -> bool {
        token.starts_with(b"TOY")
    }
}

fn toy(oid: Oid, legs: usize) -> Toy {
    let context = ToyContext { can_sign: true, insists: false, key: 9 };
    Toy { oids: vec![oid], legs, context, heard: Arc::default() }
}

fn server(toys: &[&Toy]) -> Acceptor {
    let mechanisms = toys.iter().map(|toy| Arc::new((*toy).clone()) as Arc<dyn Mechanism>);
    Acceptor::new(mechanisms.collect(), Level::Privacy)
}

fn client(toys: &[&Toy]) -> Initiator {
    let offer = |toy: &&Toy| Offer {
        oid: toy.oids[0].clone(),
        conversation: Box::new(ToySide { toy: (*toy).clone(), said: 0, is_server: false }),
    };
    Initiator::new("D\\alice".to_owned(), toys.iter().map(offer).collect())
}

/// All tokens until both are done, or who refused what.
fn run(
    mut client: Initiator,
    mut server: Acceptor,
    between: impl Fn(usize, Token) -> Token,
) -> Result<Vec<Token>, Refusal> {
    let (mut tokens, mut token, mut done) = (Vec::new(), Vec::new(), [false; 2]);
    for n in 0..12 {
        let side: &mut dyn Exchange = if n % 2 == 0 { &mut client } else { &mut server };
        if !done[n % 2] {
            match side.step(&token) {
                Step::More(next) => token = next,
                Step::Done { token: last, .. } => {
                    done[n % 2] = true;
                    token = last;
                }
                Step::Refused(refusal) => return Err(refusal),
            }
            if !token.is_empty() {
                let changed = between(n, Token::decode(&token).unwrap());
                token = changed.encode();
                tokens.push(changed);
            }
        }
        if done == [true; 2] {
            return Ok(tokens);
        }
    }
    panic!("they never come to an end: {tokens:?}");
}

fn same(_: usize, token: Token) -> Token {
    token
}

fn mics(tokens: &[Token]) -> Vec<bool> {
    let mic = |token: &Token| match token {
        Token::Init(init) => init.mic.is_some(),
        Token::Resp(resp) => resp.mic.is_some(),
    };
    tokens.iter().map(mic).collect()
}

fn resp(token: &Token) -> &Resp {
    let Token::Resp(resp) = token else { panic!("{token:?}") };
    resp
}

#[test]
fn the_first_choice_needs_no_mic() {
    for legs in 2..6 {
        let toy = toy(oid::NTLM, legs);
        let tokens = run(client(&[&toy]), server(&[&toy]), same).unwrap();
        assert!(mics(&tokens).iter().all(|mic| !mic), "{legs} legs");
        assert_eq!(tokens.len(), legs + legs % 2, "{legs} legs: {tokens:?}");
        assert_eq!(resp(&tokens[1]).mechanism, Some(oid::NTLM));
        assert_eq!(resp(tokens.last().unwrap()).state, Some(NegState::AcceptCompleted));
    }
}

#[test]
fn a_mechanism_may_insist() {
    for legs in 2..6 {
        let mut toy = toy(oid::KERBEROS, legs);
        toy.context.insists = true;
        let tokens = run(client(&[&toy]), server(&[&toy]), same).unwrap();
        assert_eq!(mics(&tokens).iter().filter(|mic| **mic).count(), 2, "{legs} legs: {tokens:?}");
        // Whoever's MIC is dropped: no session.
        for (n, _) in mics(&tokens).iter().enumerate().filter(|(_, mic)| **mic) {
            let dropped = run(client(&[&toy]), server(&[&toy]), |at, token| match token {
                Token::Resp(resp) if at == n => Token::Resp(Resp { mic: None, ..resp }),
                token => token,
            });
            let unsigned = Refusal::Tampered("the list of mechanisms is not signed");
            assert_eq!(dropped, Err(unsigned), "{legs} legs, token {n}");
            let wrong = run(client(&[&toy]), server(&[&toy]), |at, token| match token {
                Token::Resp(resp) if at == n => Token::Resp(Resp { mic: Some(vec![1]), ..resp }),
                token => token,
            });
            assert_eq!(wrong, Err(Refusal::Tampered("toy MIC")), "{legs} legs, token {n}");
        }
    }
}

/// Windows offers Kerberos first, with a token for it.
#[test]
fn a_token_for_another_mechanism_is_dropped() {
    let (kerberos, ntlm) = (toy(oid::KERBEROS, 2), toy(oid::NTLM, 3));
    let tokens = run(client(&[&kerberos, &ntlm]), server(&[&ntlm]), same).unwrap();
    let answer = resp(&tokens[1]);
    assert_eq!((answer.state, &answer.token), (Some(NegState::RequestMic), &None));
    assert_eq!(answer.mechanism, Some(oid::NTLM));
    assert_eq!(mics(&tokens).iter().filter(|mic| **mic).count(), 2, "{tokens:?}");
    assert_eq!(*ntlm.heard.lock().unwrap(), [vec![0], vec![2]], "its own words only");
    assert!(kerberos.heard.lock().unwrap().is_empty());
}

/// Whoever strikes the stronger mechanism from the list is found out.
#[test]
fn a_changed_list_is_found_out() {
    let (kerberos, ntlm) = (toy(oid::KERBEROS, 3), toy(oid::NTLM, 3));
    let strike = |n: usize, token: Token| match token {
        Token::Init(init) if n == 0 => {
            let mechanisms = Mechanisms::new(vec![oid::NEGOEX, oid::NTLM]);
            Token::Init(Init { mechanisms, ..init })
        }
        token => token,
    };
    let outcome = run(client(&[&kerberos, &ntlm]), server(&[&kerberos, &ntlm]), strike);
    assert_eq!(outcome, Err(Refusal::Tampered("toy MIC")));
    run(client(&[&kerberos, &ntlm]), server(&[&kerberos, &ntlm]), same).unwrap();
}

#[test]
fn the_second_name_of_a_mechanism_will_do() {
    let mut kerberos = toy(oid::KERBEROS, 2);
    kerberos.oids.push(oid::MS_KERBEROS);
    let windows = toy(oid::MS_KERBEROS, 2);
    let tokens = run(client(&[&windows]), server(&[&kerberos]), same).unwrap();
    assert_eq!(resp(&tokens[1]).mechanism, Some(oid::MS_KERBEROS));
}

#[test]
fn without_signatures_there_are_no_mics() {
    let mut ntlm = toy(oid::NTLM, 3);
    ntlm.context.can_sign = false;
    ntlm.context.insists = true;
    let kerberos = toy(oid::KERBEROS, 3);
    let tokens = run(client(&[&kerberos, &ntlm]), server(&[&ntlm]), same).unwrap();
    assert!(mics(&tokens).iter().all(|mic| !mic));
}

#[test]
fn states_that_may_be_absent_are_not_missed() {
    let toy = toy(oid::NTLM, 3);
    let absent = |_: usize, token| match token {
        Token::Resp(resp) => Token::Resp(Resp { state: None, mechanism: None, ..resp }),
        token => token,
    };
    run(client(&[&toy]), server(&[&toy]), absent).unwrap();
}

#[test]
fn a_server_that_is_asked_speaks_first() {
    let (kerberos, ntlm) = (toy(oid::KERBEROS, 2), toy(oid::NTLM, 3));
    let mut server = server(&[&ntlm]);
    let Step::More(hint) = server.step(&[]) else { panic!("no hint") };
    let mut client = client(&[&kerberos, &ntlm]);
    let Step::More(init) = client.step(&hint) else { panic!("no answer") };
    let Ok(Token::Init(init)) = Token::decode(&init) else { panic!("no NegTokenInit") };
    assert_eq!(init.mechanisms.list(), [oid::NTLM], "what the server has");
    assert!(matches!(server.step(&[]), Step::Refused(_)), "but once");
}

#[test]
fn who_has_nothing_in_common_is_refused() {
    let (kerberos, ntlm) = (toy(oid::KERBEROS, 2), toy(oid::NTLM, 3));
    let outcome = run(client(&[&kerberos]), server(&[&ntlm]), same);
    assert_eq!(outcome, Err(Refusal::Weak("it offers no mechanism that we have")));
    let choice = |oid: Oid| {
        move |n: usize, token| match token {
            Token::Resp(resp) if n == 1 => {
                Token::Resp(Resp { mechanism: Some(oid.clone()), ..resp })
            }
            token => token,
        }
    };
    let outcome = run(client(&[&ntlm]), server(&[&ntlm]), choice(oid::NEGOEX));
    assert_eq!(outcome, Err(Refusal::Malformed("the server chooses what was not offered")));
}

#[test]
fn a_rejection_is_a_refusal() {
    let toy = toy(oid::NTLM, 5);
    let reject = |at: usize| {
        move |n: usize, token| match token {
            Token::Resp(resp) if n == at => {
                Token::Resp(Resp { state: Some(NegState::Reject), ..resp })
            }
            token => token,
        }
    };
    let denied = Refusal::Denied { account: "D\\alice".into() };
    assert_eq!(run(client(&[&toy]), server(&[&toy]), reject(1)), Err(denied));
    let begun = Refusal::Malformed("it rejects what it began");
    assert_eq!(run(client(&[&toy]), server(&[&toy]), reject(2)), Err(begun));
}

#[test]
fn in_the_wrong_order() {
    let toy = toy(oid::NTLM, 3);
    let init = client(&[&toy]).step(&[]);
    let Step::More(init) = init else { panic!() };
    let empty = Token::Resp(Resp::default()).encode();
    let why = |step| match step {
        Step::Refused(Refusal::Malformed(why)) => why,
        _ => panic!("taken"),
    };
    assert_eq!(why(server(&[&toy]).step(&empty)), "a NegTokenInit was due");
    let mut server = server(&[&toy]);
    assert!(matches!(server.step(&init), Step::More(_)));
    assert_eq!(why(server.step(&init)), "a NegTokenResp was due");
    assert_eq!(why(server.step(&empty)), "the exchange is over");
    let mut client = client(&[&toy]);
    assert_eq!(why(client.step(&empty)), "a NegTokenInit2 was due");
}

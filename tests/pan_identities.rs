//! [MS-PAN] over the wire: who is let in, and who hears what.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use bytes::Bytes;
use despool::notify::{Audience, Sent, UserFilter};
use despool::pan::async_notify;
use despool::pan::client::{Error, Heard, Registration};
use despool::pan::hresult::HResult;
use despool::pan::stub::Returned;
use despool::rpc::auth::{Credentials, Level, WINNT};
use despool::rpc::client::{Failure, Options, Security};
use despool::rpc::limits::WRONG_PASSWORDS;
use despool::rpc::ndr::ContextHandle;
use despool::rpc::status::Status;
use support::pan::{UNI, World, fault, in_time, options, run, wanted};

fn failed(method: &'static str, result: HResult) -> Error {
    Error::Failed { method, result }
}

/// [MS-PAN] 2.2.2: who hears what.
#[test]
fn the_matrix_of_filters_and_identities() {
    run(async {
        let world = World::new();
        let (per_user, all_users) = (UserFilter::PerUser, UserFilter::AllUsers);
        let mut listeners = Vec::new();
        for (name, filter) in
            [("ann", per_user), ("bob", per_user), ("root", per_user), ("root", all_users)]
        {
            listeners.push(world.peer(name).await.listens(UNI, filter).await);
        }
        // Everybody's notifications are for administrators.
        for name in ["ann", "bob"] {
            let peer = world.peer(name).await;
            let refused = Registration::new(peer.0.clone(), &wanted(UNI, all_users)).await;
            let denied = failed("RegisterClient", HResult::ACCESS_DENIED);
            assert_eq!(refused.map(drop), Err(denied));
        }
        let user = |name: &str| Audience::User(format!("workgroup\\{name}").into());
        let sent = [
            ("all", Audience::AllUsers, [true, true, true, true]),
            ("for ann", user("ann"), [true, false, false, true]),
            ("for bob", user("bob"), [false, true, false, true]),
            ("for root", user("root"), [false, false, true, true]),
            ("for nobody", user("carol"), [false, false, false, true]),
            ("end", Audience::AllUsers, [true, true, true, true]),
        ];
        for (payload, audience, _) in &sent {
            let (source, _) = world.open(UNI, audience.clone());
            assert_eq!(source.send(Bytes::from(*payload)), Ok(Sent::ToListeners));
        }
        for (n, listener) in listeners.iter_mut().enumerate() {
            for (payload, _, _) in sent.iter().filter(|(_, _, to)| to[n]) {
                assert_eq!(
                    in_time(listener.next()).await,
                    Ok(Heard::Data((*payload).into())),
                    "{n}"
                );
            }
        }
    });
}

#[test]
fn who_is_not_protected_is_refused() {
    run(async {
        let world = World::new();
        for options in [Options::anonymous(), options("ann", Level::Connect)] {
            let peer = world.client_with(options).await.unwrap();
            let refused = peer.on::<Returned>(async_notify::UNREGISTER_CLIENT, ContextHandle::NULL);
            assert_eq!(refused.await, fault(Status::ACCESS_DENIED.0));
        }
        // NTLM by itself does as well as SPNEGO; a wrong password does not.
        let mut ntlm = options("ann", Level::Packet);
        ntlm.security = ntlm.security.map(|security| Security { auth_type: WINNT, ..security });
        let peer = world.client_with(ntlm).await.unwrap();
        peer.registered(UNI).await;
        let mut wrong = options("ann", Level::Packet);
        let credentials = options("bob", Level::Packet).security.unwrap().credentials;
        let credentials = Credentials { user: "ann".into(), ..credentials };
        wrong.security = wrong.security.map(|security| Security { credentials, ..security });
        let refused = world.client_with(wrong).await.map(drop);
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    });
}

/// Eight wrong passwords in a row, and even the right one does not help for a while: here. Others are let in.
#[test]
fn somebody_who_guesses_is_slowed_down() {
    run(async {
        let world = World::new();
        let guess = |password: &str| {
            let mut options = options("ann", Level::Packet);
            let credentials = Credentials::new("ELSEWHERE", "Ann", password);
            options.security =
                options.security.map(|security| Security { credentials, ..security });
            options
        };
        let mut slowed_down = false;
        // On a machine that is so slow that the pause is over before the right password comes, once more.
        for _ in 0..20 {
            for _ in 0..WRONG_PASSWORDS {
                let refused = world.client_with(guess("Secret.bob")).await.map(drop);
                assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
            }
            slowed_down |= world.client_with(guess("Secret.ann")).await.is_err();
            if slowed_down {
                break;
            }
        }
        assert!(slowed_down);
        world.peer("bob").await.registered(UNI).await;
    });
}

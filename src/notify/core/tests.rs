//! The rules of [MS-PAN] one by one.

mod ends;
mod figure7;
mod open_points;
mod registrations;

use super::*;
use crate::identity::Identity;
use crate::notify::outcome::{Ended, Sent};
use crate::notify::types::{Audience, NotificationType, Style, UserFilter};

pub(super) const TYPE: NotificationType = NotificationType::new(1);
const OTHER_TYPE: NotificationType = NotificationType::new(2);
const RELEASE: NotificationType = NotificationType::RELEASE;

fn who(name: &str) -> Identity {
    Identity { id: format!("w\\{name}").into(), name: name.into(), admin: name == "root" }
}

fn topic(style: Style) -> Topic {
    Topic { object: Object::Server, notification_type: TYPE, style }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// A core, and what a test says to it in few words.
struct Rig {
    core: Core,
    last_waiter: u64,
}

use Completion as C;

impl Rig {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self { core: Core::new(limits), last_waiter: 0 }
    }

    fn waiter(&mut self) -> WaiterId {
        self.last_waiter += 1;
        WaiterId(self.last_waiter)
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.core.poll()).collect()
    }

    fn register(&mut self, name: &str, style: Style) -> RegistrationId {
        let filter = if name == "root" { UserFilter::AllUsers } else { UserFilter::PerUser };
        self.core.register(topic(style), filter, who(name)).unwrap()
    }

    fn open(&mut self, style: Style) -> ChannelId {
        self.core.open(topic(style), Audience::AllUsers).unwrap()
    }

    /// A call of `GetNotification`: its result if it is complete.
    fn get(&mut self, id: RegistrationId) -> Option<Result<Notification, Refusal>> {
        let waiter = self.waiter();
        self.core.get_notification(id, waiter);
        match self.actions().as_slice() {
            [] => None,
            [Action::Complete { waiter: w, with: C::Notification(result) }] if *w == waiter => {
                Some(result.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The handles that are new to a registration.
    fn channels(&mut self, id: RegistrationId) -> Vec<HandleId> {
        let waiter = self.waiter();
        self.core.get_new_channels(id, waiter);
        match self.actions().as_slice() {
            [Action::Complete { waiter: w, with: C::NewChannels(Ok(handles)) }] if *w == waiter => {
                handles.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    /// A call of `GetNotificationSendResponse` and all that follows from it.
    fn exchange(
        &mut self,
        id: HandleId,
        ty: Option<NotificationType>,
        data: &str,
    ) -> (WaiterId, Vec<Action>) {
        let waiter = self.waiter();
        self.core.get_notification_send_response(id, ty, bytes(data), waiter);
        (waiter, self.actions())
    }

    fn respond(&mut self, id: HandleId, data: &str) -> (WaiterId, Vec<Action>) {
        self.exchange(id, Some(TYPE), data)
    }

    fn ask(&mut self, id: HandleId) -> (WaiterId, Vec<Action>) {
        self.exchange(id, None, "")
    }

    fn close(&mut self, id: HandleId, ty: NotificationType, data: &str) -> Result<Ended, Refusal> {
        self.core.close_channel(id, ty, bytes(data))
    }
}

fn reply(waiter: WaiterId, reply: Result<Reply, Refusal>) -> Action {
    Action::Complete { waiter, with: C::Reply(reply) }
}

fn lost(waiter: WaiterId) -> Action {
    reply(waiter, Ok(Reply::Closed(None)))
}

fn notified(waiter: WaiterId, data: &str) -> Action {
    reply(waiter, Ok(Reply::Notification(bytes(data))))
}

fn answered(channel: ChannelId, name: &str, data: &str) -> Action {
    let event = SourceEvent::Response { from: who(name), data: bytes(data) };
    Action::Tell { channel, event }
}

fn closed(channel: ChannelId) -> Action {
    Action::Tell { channel, event: SourceEvent::ClosedByClient }
}

/// A channel with its first notification ("q1") sent, and the handles of ann and bob.
struct Two {
    rig: Rig,
    channel: ChannelId,
    ann: HandleId,
    bob: HandleId,
}

fn two() -> Two {
    let mut rig = Rig::new();
    let (ann, bob) =
        (rig.register("ann", Style::Bidirectional), rig.register("bob", Style::Bidirectional));
    let channel = rig.open(Style::Bidirectional);
    let (ann, bob) = (rig.channels(ann), rig.channels(bob));
    Two { channel, ann: ann[0], bob: bob[0], rig }
}

/// The same with "q1" read by both.
fn two_asked() -> Two {
    let mut two = two();
    assert_eq!(two.rig.core.send(two.channel, bytes("q1")), Ok(Sent::ToListeners));
    for handle in [two.ann, two.bob] {
        let (waiter, actions) = two.rig.ask(handle);
        assert_eq!(actions, [notified(waiter, "q1")]);
    }
    two
}

/// The same, acquired by ann, whose call waits.
fn acquired() -> (Two, WaiterId) {
    let mut two = two_asked();
    let (waiter, actions) = two.rig.respond(two.ann, "a1");
    assert_eq!(actions, [answered(two.channel, "ann", "a1")]);
    (two, waiter)
}

/// The same with "q2" to be answered by ann.
fn must_answer() -> Two {
    let (mut two, waiter) = acquired();
    assert_eq!(two.rig.core.send(two.channel, bytes("q2")), Ok(Sent::ToListeners));
    assert_eq!(two.rig.actions(), [notified(waiter, "q2")]);
    two
}

fn gone(rig: &mut Rig, handle: HandleId) {
    let (waiter, actions) = rig.ask(handle);
    assert_eq!(actions, [reply(waiter, Err(Refusal::NoSuchHandle))], "the handle is still there");
}

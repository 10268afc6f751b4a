//! Drives core and model side by side, and translates the core's ids into the model's numbers.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::ops::Range;

use bytes::Bytes;

use super::rules::{About, Model};
use super::{Event, Given, LIMITS, Op, USERS};
use crate::identity::Identity;
use crate::notify::core::{
    Action, ChannelId, Completion, Core, HandleId, RegistrationId, WaiterId,
};
use crate::notify::outcome::{Notification, Reply, SourceEvent};
use crate::notify::types::{Audience, NotificationType, Object, Style, Topic, UserFilter};

pub(super) struct Drive {
    core: Core,
    model: Model,
    registrations: Vec<RegistrationId>,
    channels: Vec<ChannelId>,
    views: Vec<HandleId>,
    /// Calls, and what a transport that cannot write does when they return.
    calls: HashMap<u64, Call>,
    /// The views that a call returned with.
    given: HashMap<u64, Range<usize>>,
    last_waiter: u64,
    pub(super) reached: BTreeSet<String>,
}

#[derive(Clone, Copy)]
struct Call {
    of: usize,
    written: bool,
}

fn ty(number: u8) -> NotificationType {
    NotificationType::new(u128::from(number) + 1)
}

fn object(number: usize) -> Object {
    if number == 0 { Object::Server } else { Object::printer(&format!("P{number}")) }
}

fn topic(about: About) -> Topic {
    let style = if about.bidirectional { Style::Bidirectional } else { Style::Unidirectional };
    Topic { object: object(about.object), notification_type: ty(about.ty), style }
}

fn identity(user: usize) -> Identity {
    let name = USERS[user];
    Identity { id: name.into(), name: name.into(), admin: name == "root" }
}

/// Mostly one that is good for something; now and then any.
fn choose(pick: usize, good: &[usize], all: usize) -> usize {
    let any = pick / 10 % all;
    if pick.is_multiple_of(10) || good.is_empty() { any } else { good[pick / 10 % good.len()] }
}

impl Drive {
    pub(super) fn new() -> Self {
        Self {
            core: Core::new(LIMITS),
            model: Model::default(),
            registrations: vec![],
            channels: vec![],
            views: vec![],
            calls: HashMap::new(),
            given: HashMap::new(),
            last_waiter: 0,
            reached: BTreeSet::new(),
        }
    }

    fn same<T: Debug + PartialEq>(&mut self, op: &Op, core: &T, model: &T) {
        assert_eq!(core, model, "core (left) and model differ in the result of {op:?}");
        let word = format!("{core:?}");
        self.reached.extend(word.split(['(', ')']).map(str::to_owned));
    }

    fn call(&mut self, of: usize, written: bool) -> u64 {
        self.last_waiter += 1;
        self.calls.insert(self.last_waiter, Call { of, written });
        self.last_waiter
    }

    /// One operation on both; all that is seen must be equal.
    pub(super) fn step(&mut self, op: &Op) {
        self.operate(op);
        let core: Vec<Action> = std::iter::from_fn(|| self.core.poll()).collect();
        let core: Vec<Event> = core.into_iter().map(|action| self.event(action)).collect();
        let model = self.model.take_events();
        assert_eq!(core, model, "core (left) and model differ in what follows from {op:?}");
        for event in core {
            self.note(&event);
            self.lose(event);
        }
        assert!(self.core.poll().is_none(), "putting back completes nothing");
        self.check_counts();
    }

    fn operate(&mut self, op: &Op) {
        match op.clone() {
            Op::Register { user, all, object, ty, bidirectional } => {
                let about = About { object, ty, bidirectional };
                let filter = if all { UserFilter::AllUsers } else { UserFilter::PerUser };
                let core = self.core.register(topic(about), filter, identity(user));
                let model = self.model.register(user, all, about);
                self.registrations.extend(core);
                self.same(op, &core.map(drop), &model);
            }
            Op::Open { object, ty, bidirectional, user } => {
                let about = About { object, ty, bidirectional };
                let audience =
                    user.map_or(Audience::AllUsers, |user| Audience::User(USERS[user].into()));
                let core = self.core.open(topic(about), audience);
                let model = self.model.open(about, user);
                self.channels.extend(core);
                self.same(op, &core.map(drop), &model);
            }
            Op::AddPrinter { object: number } => {
                self.core.add_printer(object(number));
                self.model.add_printer(number);
            }
            Op::RemovePrinter { object: number } => {
                self.core.remove_printer(&object(number));
                self.model.remove_printer(number);
            }
            Op::ShutDown => {
                self.core.shut_down();
                self.model.shut_down();
            }
            Op::Cancel { waiter } => {
                // Mostly one that waits.
                let waiting: Vec<u64> = self.waiting().collect();
                let waiter = match waiting.get(waiter % (waiting.len() + 1)) {
                    Some(waiter) => *waiter,
                    None => waiter as u64,
                };
                let core = self.core.cancel(WaiterId(waiter));
                let model = self.model.cancel(waiter);
                self.same(op, &core, &model);
            }
            Op::Send { .. } | Op::CloseSource { .. } => self.operate_source(op),
            Op::Unregister { .. } | Op::GetNotification { .. } | Op::GetNewChannels { .. } => {
                self.operate_registration(op);
            }
            Op::Exchange { .. } | Op::Close { .. } => self.operate_view(op),
        }
    }

    fn operate_source(&mut self, op: &Op) {
        match op.clone() {
            Op::Send { channel, data } if !self.channels.is_empty() => {
                let channel = choose(channel, &self.model.open_channels(), self.channels.len());
                let core = self.core.send(self.channels[channel], data.clone());
                let model = self.model.send(channel, &data);
                self.same(op, &core, &model);
            }
            Op::CloseSource { channel, last } if !self.channels.is_empty() => {
                let channel = choose(channel, &self.model.open_channels(), self.channels.len());
                let core = self.core.close(self.channels[channel], last.clone());
                let model = self.model.close_source(channel, last);
                self.same(op, &core, &model);
            }
            _ => {}
        }
    }

    fn operate_registration(&mut self, op: &Op) {
        let count = self.registrations.len();
        match op.clone() {
            Op::Unregister { registration } if count > 0 => {
                let number = registration % count;
                let core = self.core.unregister(self.registrations[number]);
                let model = self.model.unregister(number);
                self.same(op, &core, &model);
            }
            Op::GetNotification { registration, written } if count > 0 => {
                let number = choose(registration, &self.model.alive_registrations(false), count);
                let waiter = self.call(number, written);
                self.core.get_notification(self.registrations[number], WaiterId(waiter));
                self.model.get_notification(number, waiter);
            }
            Op::GetNewChannels { registration, written } if count > 0 => {
                let number = choose(registration, &self.model.alive_registrations(true), count);
                let waiter = self.call(number, written);
                self.core.get_new_channels(self.registrations[number], WaiterId(waiter));
                self.model.get_new_channels(number, waiter);
            }
            _ => {}
        }
    }

    fn operate_view(&mut self, op: &Op) {
        let count = self.views.len();
        match op.clone() {
            Op::Exchange { view, ty, data, written } if count > 0 => {
                let view = choose(view, &self.model.idle_views(), count);
                let given = self.given(view, ty);
                let waiter = self.call(view, written);
                let id = self.views[view];
                let call = WaiterId(waiter);
                self.core.get_notification_send_response(id, given, data.clone(), call);
                self.model.exchange(view, ty, &data, waiter);
            }
            // The second call has no way to say nothing.
            Op::Close { view, ty, data } if count > 0 && ty != Given::Nothing => {
                let view = choose(view, &self.model.idle_views(), count);
                let given = self.given(view, ty).unwrap();
                let core = self.core.close_channel(self.views[view], given, data.clone());
                let model = self.model.close(view, ty, &data);
                self.same(op, &core, &model);
            }
            _ => {}
        }
    }

    fn given(&self, view: usize, given: Given) -> Option<NotificationType> {
        let right = self.model.views[view].channel;
        match given {
            Given::Nothing => None,
            Given::Release => Some(NotificationType::RELEASE),
            Given::Right => Some(ty(self.model.channels[right].ty())),
            Given::Wrong => Some(ty(9)),
        }
    }

    fn waiting(&self) -> impl Iterator<Item = u64> {
        let registrations = self.model.registrations.iter().filter_map(|one| one.waiter);
        registrations.chain(self.model.views.iter().filter_map(|one| one.waiter))
    }

    fn event(&mut self, action: Action) -> Event {
        match action {
            Action::Complete { waiter: WaiterId(waiter), with } => match with {
                Completion::Notification(result) => {
                    let data = |notification| match notification {
                        Notification::Data(data) => Some(data),
                        Notification::Release => None,
                    };
                    Event::Notification { waiter, result: result.map(data) }
                }
                Completion::NewChannels(result) => {
                    let result = result.map(|handles| self.new_views(waiter, &handles));
                    Event::NewChannels { waiter, result }
                }
                Completion::Reply(result) => {
                    let result = result.map(|reply| match reply {
                        Reply::Notification(data) => Ok(data),
                        Reply::Closed(last) => Err(last),
                    });
                    Event::Reply { waiter, result }
                }
            },
            Action::Tell { channel, event } => {
                let channel = self.channels.iter().position(|id| *id == channel).unwrap();
                let ended = |why| Event::Ended { channel, why };
                match event {
                    SourceEvent::Response { from, data } => {
                        let user = USERS.iter().position(|user| **user == *from.id).unwrap();
                        Event::Response { channel, user, data }
                    }
                    SourceEvent::ClosedByClient => ended("ClosedByClient"),
                    SourceEvent::ObjectDeleted => ended("ObjectDeleted"),
                    SourceEvent::ShuttingDown => ended("ShuttingDown"),
                }
            }
        }
    }

    /// The channels behind new handles, which are the model's next views.
    fn new_views(&mut self, waiter: u64, handles: &[HandleId]) -> Vec<usize> {
        let new = self.views.len()..self.views.len() + handles.len();
        self.views.extend(handles);
        self.given.insert(waiter, new.clone());
        let views = self.model.views.get(new);
        views.expect("the model gives fewer").iter().map(|view| view.channel).collect()
    }

    fn note(&mut self, event: &Event) {
        let word = match event {
            Event::Notification { result: Ok(None), .. } => "Release".to_owned(),
            Event::Reply { result: Ok(Err(None)), .. } => "Lost".to_owned(),
            Event::Reply { result: Ok(Err(Some(_))), .. } => "Last".to_owned(),
            Event::Notification { result: Err(refusal), .. }
            | Event::NewChannels { result: Err(refusal), .. }
            | Event::Reply { result: Err(refusal), .. } => format!("{refusal:?}"),
            Event::Response { .. } => "Response".to_owned(),
            Event::Ended { why, .. } => (*why).to_owned(),
            _ => return,
        };
        self.reached.insert(word);
    }

    /// A transport that could not write what a call returned with.
    fn lose(&mut self, event: Event) {
        let (waiter, data): (u64, Option<Bytes>) = match &event {
            Event::Notification { waiter, result: Ok(Some(data)) }
            | Event::Reply { waiter, result: Ok(Ok(data)) } => (*waiter, Some(data.clone())),
            Event::NewChannels { waiter, result: Ok(_) } => (*waiter, None),
            _ => return,
        };
        let call = self.calls[&waiter];
        if call.written {
            return;
        }
        self.reached.insert("Requeued".to_owned());
        match (event, data) {
            (Event::Notification { .. }, Some(data)) => {
                self.core.requeue_notification(self.registrations[call.of], data.clone());
                self.model.requeue_notification(call.of, data);
            }
            (Event::Reply { .. }, Some(data)) => {
                self.core.requeue_reply(self.views[call.of], data.clone());
                self.model.requeue_reply(call.of, data);
            }
            (Event::NewChannels { .. }, _) => {
                let views: Vec<usize> = self.given[&waiter].clone().collect();
                let handles: Vec<HandleId> = views.iter().map(|view| self.views[*view]).collect();
                self.core.requeue_channels(self.registrations[call.of], &handles);
                self.model.requeue_channels(call.of, &views);
            }
            _ => {}
        }
    }

    fn check_counts(&self) {
        let counts = self.core.counts();
        assert_eq!(counts.parked, self.waiting().count());
        assert_eq!((counts.registrations, counts.channels, counts.handles), self.model.counts());
    }
}

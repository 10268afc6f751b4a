//! The model: the rules of [MS-PAN] in lists.

use bytes::Bytes;

use super::{Event, Given, LIMITS, OBJECTS, USERS};
use crate::notify::outcome::{Ended, Refusal, Sent};

#[derive(Default)]
pub(super) struct Model {
    pub(super) registrations: Vec<Registration>,
    pub(super) channels: Vec<Channel>,
    pub(super) views: Vec<View>,
    printers: [bool; OBJECTS],
    stopped: bool,
    events: Vec<Event>,
}

pub(super) struct Registration {
    alive: bool,
    about: About,
    all: bool,
    user: usize,
    queue: Vec<Bytes>,
    unreturned: Vec<usize>,
    pub(super) waiter: Option<u64>,
    released: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct About {
    pub(super) object: usize,
    pub(super) ty: u8,
    pub(super) bidirectional: bool,
}

pub(super) struct Channel {
    open: bool,
    about: About,
    user: Option<usize>,
    first: Option<Bytes>,
    owner: Option<usize>,
    unsent: Option<Bytes>,
}

pub(super) struct View {
    alive: bool,
    pub(super) channel: usize,
    user: usize,
    /// It was given a notification that it has not answered.
    asked: bool,
    pub(super) waiter: Option<u64>,
    lost: bool,
    closed: Option<Option<Bytes>>,
}

impl Model {
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Registrations of a style that are alive.
    pub(super) fn alive_registrations(&self, bidirectional: bool) -> Vec<usize> {
        let wanted = |one: &Registration| one.alive && one.about.bidirectional == bidirectional;
        numbers(&self.registrations, wanted)
    }

    /// Channels that are open.
    pub(super) fn open_channels(&self) -> Vec<usize> {
        numbers(&self.channels, |one| one.open)
    }

    /// Views that are alive and do not wait.
    pub(super) fn idle_views(&self) -> Vec<usize> {
        numbers(&self.views, |one| one.alive && one.waiter.is_none())
    }

    /// Registrations, channels, views.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let registrations = self.registrations.iter().filter(|one| one.alive).count();
        let channels = self.channels.iter().filter(|one| one.open).count();
        (registrations, channels, self.views.iter().filter(|one| one.alive).count())
    }

    fn exists(&self, object: usize) -> bool {
        object == 0 || self.printers[object]
    }

    pub(super) fn register(&mut self, user: usize, all: bool, about: About) -> Result<(), Refusal> {
        let alive = self.registrations.iter().filter(|registration| registration.alive);
        let mine = alive.clone().filter(|registration| registration.user == user).count();
        let alive = alive.count();
        if self.stopped {
            return Err(Refusal::ShuttingDown);
        }
        if all && USERS[user] != "root" {
            return Err(Refusal::AccessDenied);
        }
        if !self.exists(about.object) {
            return Err(Refusal::NoSuchObject);
        }
        if alive == LIMITS.registrations || mine == LIMITS.registrations_per_identity {
            return Err(Refusal::TooManyRegistrations);
        }
        let mut new = Registration {
            alive: true,
            about,
            all,
            user,
            queue: vec![],
            unreturned: vec![],
            waiter: None,
            released: false,
        };
        for (n, channel) in self.channels.iter().enumerate() {
            if channel.is_for(&new) && channel.is_free() {
                new.unreturned.push(n);
            }
        }
        self.registrations.push(new);
        Ok(())
    }

    pub(super) fn unregister(&mut self, id: usize) -> Result<(), Refusal> {
        let registration = &mut self.registrations[id];
        if !registration.alive {
            return Err(Refusal::NotRegistered);
        }
        registration.alive = false;
        self.terminate(id);
        Ok(())
    }

    fn terminate(&mut self, id: usize) {
        let registration = &mut self.registrations[id];
        let Some(waiter) = registration.waiter.take() else { return };
        self.events.push(if registration.about.bidirectional {
            Event::NewChannels { waiter, result: Err(Refusal::Terminated) }
        } else {
            Event::Notification { waiter, result: Err(Refusal::Terminated) }
        });
    }

    pub(super) fn get_notification(&mut self, id: usize, waiter: u64) {
        let registration = &mut self.registrations[id];
        let result = if self.stopped {
            Err(Refusal::Terminated)
        } else if !registration.alive {
            Err(Refusal::NotRegistered)
        } else if registration.waiter.is_some() {
            Err(Refusal::AlreadyParked)
        } else if registration.about.bidirectional {
            Err(Refusal::WrongStyle)
        } else if !registration.queue.is_empty() {
            Ok(Some(registration.queue.remove(0)))
        } else if registration.released {
            Ok(None)
        } else {
            registration.waiter = Some(waiter);
            return;
        };
        self.events.push(Event::Notification { waiter, result });
    }

    pub(super) fn get_new_channels(&mut self, id: usize, waiter: u64) {
        let registration = &self.registrations[id];
        let result = if self.stopped {
            Err(Refusal::Terminated)
        } else if !registration.alive {
            Err(Refusal::NotRegistered)
        } else if !registration.about.bidirectional {
            Err(Refusal::WrongStyle)
        } else if registration.waiter.is_some() {
            Err(Refusal::AlreadyParked)
        } else if registration.released {
            Err(Refusal::Terminated)
        } else if registration.unreturned.is_empty() {
            self.registrations[id].waiter = Some(waiter);
            return;
        } else {
            self.give(id)
        };
        self.events.push(Event::NewChannels { waiter, result });
    }

    /// Gives a registration what it was not given, as far as its user may hold so much.
    fn give(&mut self, id: usize) -> Result<Vec<usize>, Refusal> {
        let user = self.registrations[id].user;
        let held = self.views.iter().filter(|view| view.alive && view.user == user).count();
        let mut given = vec![];
        while held + given.len() < LIMITS.handles_per_identity
            && !self.registrations[id].unreturned.is_empty()
        {
            given.push(self.registrations[id].unreturned.remove(0));
        }
        if given.is_empty() {
            return Err(Refusal::TooManyHandles);
        }
        for channel in &given {
            self.views.push(View {
                alive: true,
                channel: *channel,
                user,
                asked: false,
                waiter: None,
                lost: false,
                closed: None,
            });
        }
        Ok(given)
    }

    pub(super) fn requeue_notification(&mut self, id: usize, data: Bytes) {
        if self.registrations[id].alive {
            self.registrations[id].queue.insert(0, data);
        }
    }

    /// The views were the last ones given; nothing was done with them.
    pub(super) fn requeue_channels(&mut self, id: usize, views: &[usize]) {
        for view in views.iter().rev() {
            self.views[*view].alive = false;
            let channel = self.views[*view].channel;
            if self.registrations[id].alive && self.channels[channel].is_free() {
                self.registrations[id].unreturned.insert(0, channel);
            }
        }
    }

    pub(super) fn requeue_reply(&mut self, id: usize, data: Bytes) {
        let view = &mut self.views[id];
        let channel = &mut self.channels[view.channel];
        if view.alive && view.asked && !view.lost && view.closed.is_none() {
            view.asked = false;
            if channel.owner == Some(id) {
                channel.unsent = Some(data);
            }
        }
    }

    pub(super) fn open(&mut self, about: About, user: Option<usize>) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::ShuttingDown);
        }
        if !self.exists(about.object) {
            return Err(Refusal::NoSuchObject);
        }
        if self.channels.iter().filter(|channel| channel.open).count() == LIMITS.channels {
            return Err(Refusal::TooManyChannels);
        }
        let new = Channel { open: true, about, user, first: None, owner: None, unsent: None };
        let number = self.channels.len();
        self.channels.push(new);
        for id in 0..self.registrations.len() {
            let registration = &mut self.registrations[id];
            if !about.bidirectional || !self.channels[number].is_for(registration) {
                continue;
            }
            registration.unreturned.push(number);
            if let Some(waiter) = registration.waiter.take() {
                let result = self.give(id);
                self.events.push(Event::NewChannels { waiter, result });
            }
        }
        Ok(())
    }

    pub(super) fn send(&mut self, id: usize, data: &Bytes) -> Result<Sent, Refusal> {
        if data.len() > LIMITS.payload_bytes {
            return Err(Refusal::TooLarge);
        }
        if !self.channels[id].open {
            return Err(Refusal::ChannelClosed);
        }
        if self.channels[id].about.bidirectional {
            self.ask(id, data)
        } else {
            self.publish(id, data)
        }
    }

    fn publish(&mut self, id: usize, data: &Bytes) -> Result<Sent, Refusal> {
        let (mut took, mut lost) = (0, 0);
        for registration in &mut self.registrations {
            if !self.channels[id].is_for(registration) {
                continue;
            }
            let bytes: usize = registration.queue.iter().map(Bytes::len).sum();
            if let Some(waiter) = registration.waiter.take() {
                took += 1;
                self.events.push(Event::Notification { waiter, result: Ok(Some(data.clone())) });
            } else if registration.queue.len() < LIMITS.queue
                && bytes + data.len() <= LIMITS.queue_bytes
            {
                took += 1;
                registration.queue.push(data.clone());
            } else {
                lost += 1;
            }
        }
        match (took, lost) {
            (0, 0) => Ok(Sent::NoListeners),
            (0, _) => Err(Refusal::Undelivered),
            (_, 0) => Ok(Sent::ToListeners),
            _ => Ok(Sent::LostForSome),
        }
    }

    fn ask(&mut self, id: usize, data: &Bytes) -> Result<Sent, Refusal> {
        if let Some(owner) = self.channels[id].owner {
            let view = &mut self.views[owner];
            if view.asked || self.channels[id].unsent.is_some() {
                return Err(Refusal::Unanswered);
            }
            match view.waiter.take() {
                Some(waiter) => {
                    view.asked = true;
                    self.events.push(Event::Reply { waiter, result: Ok(Ok(data.clone())) });
                }
                None => self.channels[id].unsent = Some(data.clone()),
            }
            return Ok(Sent::ToListeners);
        }
        if self.channels[id].first.is_some() {
            return Err(Refusal::Unanswered);
        }
        self.channels[id].first = Some(data.clone());
        let mut heard = false;
        for view in self.views.iter_mut().filter(|view| view.alive && view.channel == id) {
            heard = true;
            if let Some(waiter) = view.waiter.take() {
                view.asked = true;
                self.events.push(Event::Reply { waiter, result: Ok(Ok(data.clone())) });
            }
        }
        heard |=
            self.registrations.iter().any(|registration| self.channels[id].is_for(registration));
        Ok(if heard { Sent::ToListeners } else { Sent::NoListeners })
    }

    pub(super) fn close_source(&mut self, id: usize, last: Option<Bytes>) -> Result<(), Refusal> {
        if last.as_ref().is_some_and(|last| last.len() > LIMITS.payload_bytes) {
            return Err(Refusal::TooLarge);
        }
        if !self.channels[id].open {
            return Err(Refusal::ChannelClosed);
        }
        self.end(id, &last);
        Ok(())
    }

    fn end(&mut self, id: usize, last: &Option<Bytes>) {
        self.channels[id].open = false;
        self.withdraw(id);
        for view in self.views.iter_mut().filter(|view| view.alive && view.channel == id) {
            if view.lost {
                continue;
            }
            match view.waiter.take() {
                Some(waiter) => {
                    view.alive = false;
                    self.events.push(Event::Reply { waiter, result: Ok(Err(last.clone())) });
                }
                None => view.closed = Some(last.clone()),
            }
        }
    }

    fn withdraw(&mut self, id: usize) {
        for registration in &mut self.registrations {
            registration.unreturned.retain(|channel| *channel != id);
        }
    }

    pub(super) fn exchange(&mut self, id: usize, ty: Given, data: &Bytes, waiter: u64) {
        let result = self.try_exchange(id, ty, data, waiter);
        if let Some(result) = result {
            self.events.push(Event::Reply { waiter, result });
        }
    }

    fn try_exchange(
        &mut self,
        id: usize,
        ty: Given,
        data: &Bytes,
        waiter: u64,
    ) -> Option<Result<Result<Bytes, Option<Bytes>>, Refusal>> {
        let view = &mut self.views[id];
        let channel = view.channel;
        if !view.alive {
            return Some(Err(Refusal::NoSuchHandle));
        }
        if view.lost {
            view.alive = false;
            return Some(Ok(Err(None)));
        }
        if let Some(last) = &view.closed {
            view.alive = false;
            let owes = view.asked;
            return Some(if owes { Err(Refusal::ChannelClosed) } else { Ok(Err(last.clone())) });
        }
        if view.waiter.is_some() {
            return Some(Err(Refusal::AlreadyParked));
        }
        if view.asked {
            if let Some(refusal) = wrong(ty, data) {
                return Some(Err(refusal));
            }
            if ty == Given::Release {
                self.leave(id);
                return Some(Ok(Err(None)));
            }
            self.respond(id, data);
            self.views[id].asked = false;
        }
        let owner = self.channels[channel].owner == Some(id);
        let there = if owner {
            self.channels[channel].unsent.take()
        } else {
            self.channels[channel].first.clone()
        };
        match there {
            Some(data) => {
                self.views[id].asked = true;
                Some(Ok(Ok(data)))
            }
            None => {
                self.views[id].waiter = Some(waiter);
                None
            }
        }
    }

    fn respond(&mut self, id: usize, data: &Bytes) {
        let (channel, user) = (self.views[id].channel, self.views[id].user);
        if self.channels[channel].owner.is_none() {
            self.channels[channel].owner = Some(id);
            self.withdraw(channel);
            for (other, view) in self.views.iter_mut().enumerate() {
                if other == id || !view.alive || view.channel != channel {
                    continue;
                }
                match view.waiter.take() {
                    Some(waiter) => {
                        view.alive = false;
                        self.events.push(Event::Reply { waiter, result: Ok(Err(None)) });
                    }
                    None => view.lost = true,
                }
            }
        }
        self.events.push(Event::Response { channel, user, data: data.clone() });
    }

    /// A client leaves; an owner takes the channel with it.
    fn leave(&mut self, id: usize) {
        let channel = self.views[id].channel;
        self.views[id].alive = false;
        if self.channels[channel].owner == Some(id) {
            self.channels[channel].open = false;
            self.events.push(Event::Ended { channel, why: "ClosedByClient" });
        }
    }

    pub(super) fn close(&mut self, id: usize, ty: Given, data: &Bytes) -> Result<Ended, Refusal> {
        let view = &mut self.views[id];
        if !view.alive {
            return Err(Refusal::NoSuchHandle);
        }
        let waiter = view.waiter.take();
        let result = if view.lost {
            view.alive = false;
            Ok(Ended::AcquiredByOther)
        } else if view.closed.is_some() {
            view.alive = false;
            if ty == Given::Release { Ok(Ended::Closed) } else { Err(Refusal::ChannelClosed) }
        } else {
            let wrong = wrong(ty, data);
            if wrong.is_none() && ty == Given::Right {
                self.respond(id, data);
            }
            self.leave(id);
            wrong.map_or(Ok(Ended::Closed), Err)
        };
        if let Some(waiter) = waiter {
            self.events.push(Event::Reply { waiter, result: Ok(Err(None)) });
        }
        result
    }

    pub(super) fn cancel(&mut self, waiter: u64) -> bool {
        let registrations = self.registrations.iter_mut().map(|one| &mut one.waiter);
        let views = self.views.iter_mut().map(|one| &mut one.waiter);
        registrations.chain(views).any(|held| held.take_if(|held| *held == waiter).is_some())
    }

    pub(super) fn add_printer(&mut self, object: usize) {
        self.printers[object] = true;
    }

    pub(super) fn remove_printer(&mut self, object: usize) {
        if !std::mem::replace(&mut self.printers[object], false) {
            return;
        }
        self.end_all(Some(object), "ObjectDeleted");
        for registration in &mut self.registrations {
            if registration.about.object != object || !registration.alive {
                continue;
            }
            registration.released = true;
            let Some(waiter) = registration.waiter.take() else { continue };
            self.events.push(if registration.about.bidirectional {
                Event::NewChannels { waiter, result: Err(Refusal::Terminated) }
            } else {
                Event::Notification { waiter, result: Ok(None) }
            });
        }
    }

    pub(super) fn shut_down(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.end_all(None, "ShuttingDown");
            for id in 0..self.registrations.len() {
                self.terminate(id);
            }
        }
    }

    fn end_all(&mut self, object: Option<usize>, why: &'static str) {
        for channel in 0..self.channels.len() {
            let one = &self.channels[channel];
            if one.open && object.is_none_or(|object| one.about.object == object) {
                self.end(channel, &None);
                self.events.push(Event::Ended { channel, why });
            }
        }
    }
}

fn numbers<T>(all: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(number, _)| number).collect()
}

impl Channel {
    pub(super) fn ty(&self) -> u8 {
        self.about.ty
    }

    fn is_for(&self, registration: &Registration) -> bool {
        let user = self.user;
        registration.alive
            && !registration.released
            && registration.about == self.about
            && (registration.all || user.is_none_or(|user| registration.user == user))
    }

    fn is_free(&self) -> bool {
        self.open && self.about.bidirectional && self.owner.is_none()
    }
}

/// Why a response cannot be taken.
fn wrong(ty: Given, data: &Bytes) -> Option<Refusal> {
    match ty {
        Given::Right | Given::Wrong if data.len() > LIMITS.payload_bytes => Some(Refusal::TooLarge),
        Given::Nothing | Given::Wrong => Some(Refusal::WrongType),
        Given::Right | Given::Release => None,
    }
}

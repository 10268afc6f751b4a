//! Sources and their channels.

use super::*;

impl Model {
    pub(in crate::notify::core::model) fn open(
        &mut self,
        about: About,
        user: Option<usize>,
    ) -> Result<(), Refusal> {
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

    pub(in crate::notify::core::model) fn send(
        &mut self,
        id: usize,
        data: &Bytes,
    ) -> Result<Sent, Refusal> {
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

    pub(in crate::notify::core::model) fn close_source(
        &mut self,
        id: usize,
        last: Option<Bytes>,
    ) -> Result<(), Refusal> {
        if last.as_ref().is_some_and(|last| last.len() > LIMITS.payload_bytes) {
            return Err(Refusal::TooLarge);
        }
        if !self.channels[id].open {
            return Err(Refusal::ChannelClosed);
        }
        self.end(id, &last);
        Ok(())
    }

    pub(super) fn end(&mut self, id: usize, last: &Option<Bytes>) {
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

    pub(super) fn withdraw(&mut self, id: usize) {
        for registration in &mut self.registrations {
            registration.unreturned.retain(|channel| *channel != id);
        }
    }
}

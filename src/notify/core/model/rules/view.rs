//! Clients and their views of channels.

use super::*;

impl Model {
    pub(in crate::notify::core::model) fn requeue_reply(&mut self, id: usize, data: Bytes) {
        let view = &mut self.views[id];
        let channel = &mut self.channels[view.channel];
        if view.alive && view.asked && !view.lost && view.closed.is_none() {
            view.asked = false;
            if channel.owner == Some(id) {
                channel.unsent = Some(data);
            }
        }
    }

    pub(in crate::notify::core::model) fn exchange(
        &mut self,
        id: usize,
        ty: Given,
        data: &Bytes,
        waiter: u64,
    ) {
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

    pub(in crate::notify::core::model) fn close(
        &mut self,
        id: usize,
        ty: Given,
        data: &Bytes,
    ) -> Result<Ended, Refusal> {
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
}

/// Why a response cannot be taken.
fn wrong(ty: Given, data: &Bytes) -> Option<Refusal> {
    match ty {
        Given::Right | Given::Wrong if data.len() > LIMITS.payload_bytes => Some(Refusal::TooLarge),
        Given::Nothing | Given::Wrong => Some(Refusal::WrongType),
        Given::Right | Given::Release => None,
    }
}

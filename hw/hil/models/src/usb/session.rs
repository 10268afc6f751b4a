//! The talk with QEMU's `usb-redir` device on behalf of one USB device.
//!
//! ```text
//!   hello ◄──► hello
//!         ──► interface_info, ep_info, device_connect          (in this order; QEMU needs it)
//!         ◄── set_configuration  ──► interface_info, ep_info, configuration_status
//!         ◄── set_alt_setting    ──► interface_info, ep_info, alt_setting_status
//!         ◄── control, bulk      ──► the same type, answered now or later
//!         ◄── cancel             ──► the canceled transfer, unless it was answered
//! ```
//!
//! Sans-I/O: bytes from QEMU go in, bytes for QEMU come out. QEMU sets the device's address itself.

use std::time::Instant;

use super::wire::{self, Cursor};
use super::{Description, Device, Fault, Reply, Request, Setup, Status};
use crate::limits::PACKET_BYTES;

/// One plugged-in device's talk with QEMU.
#[derive(Debug)]
pub struct Session {
    /// What QEMU can do; `None` before its hello.
    peer: Option<u32>,
    configuration: u8,
    /// The alternate setting of each interface.
    alternates: Vec<u8>,
    received: Vec<u8>,
    output: Vec<u8>,
    /// For packets that nobody asked for.
    next_id: u64,
    unplugged: bool,
}

impl Default for Session {
    fn default() -> Self {
        let mut output = Vec::new();
        let mut version = [0; 64];
        let name = b"despool hil";
        version.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        wire::put(&mut output, wire::HELLO, 0, false, &[&version, &wire::OFFERED.to_le_bytes()]);
        Self {
            peer: None,
            configuration: 0,
            alternates: vec![0; 32],
            received: Vec::new(),
            output,
            next_id: 0,
            unplugged: false,
        }
    }
}

impl Session {
    /// Takes bytes from QEMU.
    ///
    /// Errors: a packet that cannot be one. The session is of no use then.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        device: &mut dyn Device,
        now: Instant,
    ) -> Result<(), Fault> {
        self.received.extend_from_slice(bytes);
        let received = std::mem::take(&mut self.received);
        let mut rest = received.as_slice();
        let mut replies = Vec::new();
        while let Some(header) = wire::header(rest, self.long_ids()) {
            let wire::Header { kind, length, id, size } = header;
            if length > PACKET_BYTES {
                return Err(Fault::TooLong { kind, length });
            }
            let Some(body) = rest.get(size..size.saturating_add(length)) else { break };
            rest = rest.get(size.saturating_add(length)..).unwrap_or_default();
            let talk = &mut Talk { device, now, out: &mut replies };
            self.packet(kind, id, Cursor(body), talk).ok_or(Fault::TooShort { kind })?;
            self.send(&mut replies);
        }
        self.received = rest.to_vec();
        Ok(())
    }

    /// Lets the device do what is due.
    pub fn tick(&mut self, device: &mut dyn Device, now: Instant) {
        let mut replies = Vec::new();
        device.tick(now, &mut replies);
        self.send(&mut replies);
    }

    /// Bytes for QEMU.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// True once the device has left the bus: nothing more will be said, and what is in [`Session::output`] may go.
    pub fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    /// True once QEMU was told of the device.
    pub fn is_connected(&self) -> bool {
        self.peer.is_some()
    }

    fn can(&self, capability: u32) -> bool {
        self.peer.is_some_and(|peer| peer & wire::OFFERED & capability != 0)
    }

    fn long_ids(&self) -> bool {
        self.can(wire::LONG_IDS)
    }

    fn put(&mut self, kind: u32, id: u64, parts: &[&[u8]]) {
        let long_ids = self.long_ids();
        wire::put(&mut self.output, kind, id, long_ids, parts);
    }

    /// Hears a packet; `None`: it is too short.
    fn packet(
        &mut self,
        kind: u32,
        id: u64,
        mut body: Cursor<'_>,
        talk: &mut Talk<'_>,
    ) -> Option<()> {
        match kind {
            wire::HELLO => self.hello(body, talk.device.about())?,
            wire::CONTROL => talk.control(id, body)?,
            wire::BULK => talk.bulk(id, body, self.can(wire::LONG_LENGTHS))?,
            wire::CANCEL => talk.hear(Request::Cancel { id }),
            wire::RESET => talk.hear(Request::Reset),
            wire::SET_CONFIGURATION => {
                self.configuration = body.u8()?;
                self.tell_layout(talk.device.about());
                self.put(wire::CONFIGURATION_STATUS, id, &[&[0, self.configuration]]);
            }
            wire::GET_CONFIGURATION => {
                self.put(wire::CONFIGURATION_STATUS, id, &[&[0, self.configuration]]);
            }
            wire::SET_ALT_SETTING => {
                let (interface, alternate) = (body.u8()?, body.u8()?);
                if let Some(chosen) = self.alternates.get_mut(usize::from(interface)) {
                    *chosen = alternate;
                }
                talk.hear(Request::Alternate { interface, alternate });
                self.tell_layout(talk.device.about());
                self.put(wire::ALT_SETTING_STATUS, id, &[&[0, interface, alternate]]);
            }
            wire::GET_ALT_SETTING => {
                let interface = body.u8()?;
                let chosen = self.alternates.get(usize::from(interface)).copied().unwrap_or(0);
                self.put(wire::ALT_SETTING_STATUS, id, &[&[0, interface, chosen]]);
            }
            wire::START_INTERRUPT | wire::STOP_INTERRUPT => {
                let endpoint = body.u8()?;
                self.put(wire::INTERRUPT_STATUS, id, &[&[0, endpoint]]);
                talk.hear(Request::Listen { endpoint, on: kind == wire::START_INTERRUPT });
            }
            // Acknowledgements, filters: nothing to do.
            _ => {}
        }
        Some(())
    }

    fn hello(&mut self, mut body: Cursor<'_>, about: &Description) -> Option<()> {
        body.skip(64)?;
        // A peer of the first version has no capabilities.
        self.peer = Some(body.u32().unwrap_or(0));
        self.tell_layout(about);
        let [class, subclass, protocol] = about.class;
        let mut connect = vec![about.speed as u8, class, subclass, protocol];
        connect.extend(about.ids.0.to_le_bytes());
        connect.extend(about.ids.1.to_le_bytes());
        if self.can(wire::DEVICE_VERSION) {
            connect.extend(about.release.to_le_bytes());
        }
        self.put(wire::DEVICE_CONNECT, 0, &[&connect]);
        Some(())
    }

    /// Tells which interfaces and endpoints there are now.
    fn tell_layout(&mut self, about: &Description) {
        let mut interfaces = [[0u8; 32]; 4];
        let (mut kinds, mut intervals, mut owners) = ([0xFFu8; 32], [0u8; 32], [0u8; 32]);
        let mut packets = [0u16; 32];
        // The two halves of endpoint 0.
        for at in [0, 16] {
            set(&mut kinds, at, 0);
            set(&mut packets, at, 64);
        }
        let mut count = 0u32;
        for interface in about.active(&self.alternates).take(32) {
            let [class, subclass, protocol] = interface.class;
            let [numbers, classes, subclasses, protocols] = &mut interfaces;
            let at = usize::try_from(count).unwrap_or(usize::MAX);
            set(numbers, at, interface.number);
            set(classes, at, class);
            set(subclasses, at, subclass);
            set(protocols, at, protocol);
            count = count.saturating_add(1);
            for endpoint in &interface.endpoints {
                let at = slot(endpoint.address);
                set(&mut kinds, at, endpoint.kind as u8);
                set(&mut intervals, at, endpoint.interval);
                set(&mut owners, at, interface.number);
                set(&mut packets, at, endpoint.max_packet);
            }
        }
        let count = count.to_le_bytes();
        self.put(wire::INTERFACE_INFO, 0, &[&count, interfaces.as_flattened()]);
        let packets: Vec<u8> = packets.into_iter().flat_map(u16::to_le_bytes).collect();
        let packets = if self.can(wire::MAX_PACKET) { packets.as_slice() } else { &[] };
        self.put(wire::EP_INFO, 0, &[&kinds, &intervals, &owners, packets]);
    }

    fn send(&mut self, replies: &mut Vec<Reply>) {
        for reply in replies.drain(..) {
            if !self.unplugged {
                self.send_one(reply);
            }
        }
    }

    fn send_one(&mut self, reply: Reply) {
        match reply {
            Reply::Control { id, setup, status, data } => {
                let length = if setup.is_in() { data.len() } else { setup.length.into() };
                let endpoint = if setup.is_in() { 0x80 } else { 0 };
                let mut head = vec![endpoint, setup.request, setup.request_type, status as u8];
                head.extend(setup.value.to_le_bytes());
                head.extend(setup.index.to_le_bytes());
                head.extend(u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
                let data = if setup.is_in() { data.as_slice() } else { &[] };
                self.put(wire::CONTROL, id, &[&head, data]);
            }
            Reply::BulkOut { id, endpoint, status, length } => {
                self.put_bulk(id, endpoint, status, length, &[]);
            }
            Reply::BulkIn { id, endpoint, status, data } => {
                self.put_bulk(id, endpoint, status, data.len(), &data);
            }
            Reply::Interrupt { endpoint, data } => {
                self.next_id = self.next_id.wrapping_add(1);
                let [low, high] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes();
                let head = [endpoint, Status::Ok as u8, low, high];
                self.put(wire::INTERRUPT, self.next_id, &[&head, &data]);
            }
            Reply::Unplug => {
                self.put(wire::DEVICE_DISCONNECT, 0, &[]);
                self.unplugged = true;
            }
        }
    }

    fn put_bulk(&mut self, id: u64, endpoint: u8, status: Status, length: usize, data: &[u8]) {
        let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let mut head = vec![endpoint, status as u8, a, b, 0, 0, 0, 0];
        if self.can(wire::LONG_LENGTHS) {
            head.extend([c, d]);
        }
        self.put(wire::BULK, id, &[&head, data]);
    }
}

/// The device's part in the talk.
struct Talk<'a> {
    device: &'a mut dyn Device,
    now: Instant,
    out: &'a mut Vec<Reply>,
}

impl Talk<'_> {
    fn hear(&mut self, request: Request<'_>) {
        self.device.handle(request, self.now, self.out);
    }

    fn control(&mut self, id: u64, mut body: Cursor<'_>) -> Option<()> {
        body.skip(1)?;
        let (request, request_type) = (body.u8()?, body.u8()?);
        body.skip(1)?;
        let (value, index, length) = (body.u16()?, body.u16()?, body.u16()?);
        let setup = Setup { request_type, request, value, index, length };
        let clears = setup.clears_halt().is_some();
        match self.device.about().answer(setup).filter(|_| !clears) {
            Some(answer) => {
                let (status, data) = match answer {
                    Ok(data) => (Status::Ok, data),
                    Err(status) => (status, Vec::new()),
                };
                self.out.push(Reply::Control { id, setup, status, data });
            }
            None => self.hear(Request::Control { id, setup, data: body.rest() }),
        }
        Some(())
    }

    fn bulk(&mut self, id: u64, mut body: Cursor<'_>, long: bool) -> Option<()> {
        let endpoint = body.u8()?;
        body.skip(1)?;
        let low = u32::from(body.u16()?);
        body.skip(4)?;
        let high = if long { u32::from(body.u16()?) } else { 0 };
        let length = usize::try_from(high << 16 | low).unwrap_or(usize::MAX);
        self.hear(if endpoint & 0x80 == 0 {
            Request::BulkOut { id, endpoint, data: body.rest() }
        } else {
            Request::BulkIn { id, endpoint, length }
        });
        Some(())
    }
}

/// Where usbredir keeps an endpoint in its lists.
fn slot(address: u8) -> usize {
    usize::from((address & 0x80) >> 3 | (address & 0x0F))
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests;

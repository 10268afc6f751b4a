//! Remote objects, and the methods on them: registering, and waiting for notifications and channels.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::channel::Channel;
use super::parked::park;
use super::{Shared, result};
use crate::notify::{
    Broker, HandleId, Notification, NotificationType, Object, RegistrationId, Style, Topic,
    UserFilter,
};
use crate::pan::hresult::HResult;
use crate::pan::name::PrinterName;
use crate::pan::stub::{Handle, NewChannels, Notified, Register, Registered, Returned, Stub};
use crate::pan::{PRINTER_CONFIGURATION, guid, wire_enum};
use crate::rpc::interface::{Call, Context, Delivery, Handles, Reply};
use crate::rpc::ndr::{ContextHandle, Syntax};
use crate::rpc::status::Status;

/// What a `PRPCREMOTEOBJECT` stands for.
pub(super) struct RemoteObject {
    broker: Broker,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Fresh,
    /// The broker is being asked; nothing is locked meanwhile.
    Registering,
    Registered(Registration),
    Unregistered,
    /// Deleted, or run down.
    Ended,
}

#[derive(Clone, Copy)]
struct Registration {
    id: RegistrationId,
    notification_type: NotificationType,
}

impl RemoteObject {
    pub(super) fn new(broker: Broker) -> Self {
        Self { broker, state: Mutex::new(State::Fresh) }
    }

    /// Deleted, or its client is gone. A registration that is left ends with it.
    pub(super) fn end(&self) {
        if let State::Registered(registration) = self.turn(State::Ended) {
            let _ = self.broker.unregister(registration.id);
        }
    }

    fn register(&self, topic: Topic, filter: UserFilter, call: &Call) -> Result<(), HResult> {
        let identity = call.caller.identity.clone().ok_or(HResult::ACCESS_DENIED)?;
        let notification_type = topic.notification_type;
        let before = self.begin()?;
        let registered = self.broker.register(topic, filter, identity).map_err(result);
        let after = match registered {
            Ok(id) => State::Registered(Registration { id, notification_type }),
            Err(_) => before,
        };
        if self.settle(after) {
            return registered.map(drop);
        }
        if let Ok(id) = registered {
            let _ = self.broker.unregister(id);
        }
        Err(HResult::TERMINATED)
    }

    /// Only one call registers at a time.
    fn begin(&self) -> Result<State, HResult> {
        let mut state = self.state();
        match *state {
            State::Fresh | State::Unregistered => Ok(mem::replace(&mut *state, State::Registering)),
            State::Registering | State::Registered(_) => Err(HResult::ALREADY_REGISTERED),
            State::Ended => Err(HResult::TERMINATED),
        }
    }

    /// False where the object has ended meanwhile.
    fn settle(&self, after: State) -> bool {
        let mut state = self.state();
        let goes_on = matches!(*state, State::Registering);
        if goes_on {
            *state = after;
        }
        goes_on
    }

    fn unregister(&self) -> Result<(), HResult> {
        let registration = {
            let mut state = self.state();
            let registration = match *state {
                State::Fresh | State::Registering => Err(HResult::NOT_REGISTERED),
                State::Registered(registration) => Ok(registration),
                State::Unregistered | State::Ended => Err(HResult::ALREADY_UNREGISTERED),
            }?;
            *state = State::Unregistered;
            registration
        };
        // Outside of the lock: the call that waits is completed here.
        self.broker.unregister(registration.id).map_err(result)
    }

    fn registration(&self) -> Result<Registration, HResult> {
        match *self.state() {
            State::Fresh | State::Registering => Err(HResult::NOT_REGISTERED),
            State::Registered(registration) => Ok(registration),
            State::Unregistered | State::Ended => Err(HResult::TERMINATED),
        }
    }

    fn turn(&self, to: State) -> State {
        mem::replace(&mut *self.state(), to)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context for RemoteObject {
    fn run_down(self: Arc<Self>) {
        self.end();
    }
}

/// `RegisterClient`, [MS-PAN] 3.1.1.4.1
pub(super) fn register(shared: &Shared, call: &Call) -> Result<Vec<u8>, Status> {
    let request = Register::read(&mut call.reader())?;
    let object = call.handles.lookup::<RemoteObject>(&request.object)?;
    let registered = wanted(shared, call, &request)
        .and_then(|(topic, filter)| object.register(topic, filter, call));
    let result = registered.err().unwrap_or(HResult::OK);
    tracing::debug!(name = request.name, %result, "RegisterClient");
    Ok(Registered { referral: None, result }.encode(call.syntax))
}

/// What a registration asks for.
fn wanted(
    shared: &Shared,
    call: &Call,
    request: &Register,
) -> Result<(Topic, UserFilter), HResult> {
    let filter = match request.filter {
        wire_enum::PER_USER => UserFilter::PerUser,
        wire_enum::ALL_USERS => UserFilter::AllUsers,
        _ => return Err(HResult::INVALID_ARGUMENT),
    };
    let style = match request.style {
        wire_enum::BIDIRECTIONAL => Style::Bidirectional,
        wire_enum::UNIDIRECTIONAL => Style::Unidirectional,
        _ => return Err(HResult::INVALID_ARGUMENT),
    };
    let object = match &request.name {
        None => Object::Server,
        Some(name) => {
            let name = PrinterName::parse(name).map_err(|_| HResult::INVALID_NAME)?;
            if !name.is_at(&shared.options.server_name, call.caller.local.ip()) {
                return Err(HResult::NO_SUCH_PRINTER);
            }
            Object::printer(name.printer)
        }
    };
    let notification_type = NotificationType::from_wire(request.notification_type.to_wire());
    // [MS-PAN] 3.1.4.4.1
    if style == Style::Bidirectional && PRINTER_CONFIGURATION.contains(&notification_type) {
        return Err(HResult::INVALID_ARGUMENT);
    }
    Ok((Topic { object, notification_type, style }, filter))
}

/// `UnregisterClient`, [MS-PAN] 3.1.1.4.2
pub(super) fn unregister(call: &Call) -> Result<Vec<u8>, Status> {
    let Handle(handle) = Handle::read(&mut call.reader())?;
    let object = call.handles.lookup::<RemoteObject>(&handle)?;
    let result = object.unregister().err().unwrap_or(HResult::OK);
    Ok(Returned(result).encode(call.syntax))
}

/// `GetNotification`, [MS-PAN] 3.1.1.4.5
pub(super) fn get_notification(shared: &Arc<Shared>, call: Call) {
    let answer =
        Answer { shared: shared.clone(), syntax: call.syntax, handles: call.handles.clone() };
    match registration(&call) {
        Err(status) => call.reply.fault(status),
        Ok(Err(refused)) => answer.refused(call.reply, refused, Answer::no_notification),
        Ok(Ok(registration)) => park(&shared.broker, call.reply, |reply| {
            shared.broker.get_notification(registration.id, move |outcome| match outcome {
                Ok(notification) => answer.notification(reply, registration, notification),
                Err(refusal) => answer.refused(reply, result(refusal), Answer::no_notification),
            })
        }),
    }
}

/// `GetNewChannel`, [MS-PAN] 3.1.1.4.3
pub(super) fn get_new_channel(shared: &Arc<Shared>, call: Call) {
    let answer =
        Answer { shared: shared.clone(), syntax: call.syntax, handles: call.handles.clone() };
    match registration(&call) {
        Err(status) => call.reply.fault(status),
        Ok(Err(refused)) => answer.refused(call.reply, refused, Answer::no_channels),
        Ok(Ok(registration)) => park(&shared.broker, call.reply, |reply| {
            shared.broker.get_new_channels(registration.id, move |outcome| match outcome {
                Ok(handles) => answer.channels(reply, registration, handles),
                Err(refusal) => answer.refused(reply, result(refusal), Answer::no_channels),
            })
        }),
    }
}

fn registration(call: &Call) -> Result<Result<Registration, HResult>, Status> {
    let Handle(handle) = Handle::read(&mut call.reader())?;
    Ok(call.handles.lookup::<RemoteObject>(&handle)?.registration())
}

/// What the answer to a waiting call needs.
struct Answer {
    shared: Arc<Shared>,
    syntax: Syntax,
    handles: Handles,
}

impl Answer {
    fn notification(self, reply: Reply, registration: Registration, notification: Notification) {
        let (notification_type, data) = match notification {
            Notification::Data(data) => (registration.notification_type, Some(data)),
            Notification::Release => (NotificationType::RELEASE, None),
        };
        let notified = Notified {
            notification_type: Some(guid(notification_type)),
            data: data.clone(),
            result: HResult::OK,
        };
        let broker = self.shared.broker.clone();
        reply.respond_tracked(notified.encode(self.syntax), move |delivery| {
            if let (Delivery::Lost, Some(data)) = (delivery, data) {
                broker.requeue_notification(registration.id, data);
            }
        });
    }

    fn channels(self, reply: Reply, registration: Registration, ids: Vec<HandleId>) {
        let broker = &self.shared.broker;
        let mut given = Vec::new();
        let mut kept = Vec::new();
        for id in ids {
            let channel = Channel::new(broker.clone(), id, registration.notification_type);
            match self.handles.create(Arc::new(channel)) {
                Ok(handle) => given.push((handle, id)),
                Err(_) => kept.push(id),
            }
        }
        broker.requeue_channels(registration.id, &kept);
        if given.is_empty() {
            return self.refused(reply, HResult::OUT_OF_MEMORY, Self::no_channels);
        }
        let channels = given.iter().map(|(handle, _)| *handle).collect();
        let stub = NewChannels { channels, result: HResult::OK }.encode(self.syntax);
        let (broker, handles) = (broker.clone(), self.handles);
        reply.respond_tracked(stub, move |delivery| {
            if delivery == Delivery::Lost {
                take_back(&broker, &handles, registration.id, &given);
            }
        });
    }

    /// The results that are thrown are faults, all others return values.
    fn refused(self, reply: Reply, refused: HResult, stub: fn(HResult, Syntax) -> Vec<u8>) {
        let thrown = matches!(refused, HResult::ALREADY_PARKED | HResult::TERMINATED);
        if thrown && self.shared.options.throws {
            reply.fault(Status(refused.0));
        } else {
            reply.respond(stub(refused, self.syntax));
        }
    }

    fn no_notification(result: HResult, syntax: Syntax) -> Vec<u8> {
        Notified { notification_type: None, data: None::<Bytes>, result }.encode(syntax)
    }

    fn no_channels(result: HResult, syntax: Syntax) -> Vec<u8> {
        NewChannels { channels: Vec::new(), result }.encode(syntax)
    }
}

/// Channels whose handles never reached the client are offered again.
fn take_back(
    broker: &Broker,
    handles: &Handles,
    registration: RegistrationId,
    given: &[(ContextHandle, HandleId)],
) {
    for (handle, _) in given {
        let _ = handles.destroy::<Channel>(handle);
    }
    let ids: Vec<HandleId> = given.iter().map(|(_, id)| *id).collect();
    broker.requeue_channels(registration, &ids);
}

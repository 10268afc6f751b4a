//! Notification channels in one process: a component asks a question, two clients hear it, the first answer wins.
//!
//! ```text
//! cargo run --example notifications
//! ```
//!
//! A component of a running server gets the broker from `Server::broker()`; here one stands alone. Clients elsewhere do the
//! same over [MS-PAN] with `despool::pan::client`.

use std::error::Error;

use bytes::Bytes;
use despool::identity::Identity;
use despool::notify::{
    Audience, Broker, Listener, Notification, NotificationType, Object, Reply, SourceEvent, Style,
    Topic, UserFilter,
};

/// A type of our own: anybody may make up a GUID. What payloads of it look like is between us and our clients.
const LABEL_ROLL: NotificationType =
    NotificationType::new(0x3c1d_77b0_52f4_4b6e_9a0e_0d4c_5a1b_9e11);

fn topic(style: Style) -> Topic {
    Topic { object: Object::printer("label"), notification_type: LABEL_ROLL, style }
}

/// Somebody who has proved who they are.
fn person(name: &str) -> Identity {
    Identity { id: format!("workgroup\\{name}").into(), name: name.into(), admin: false }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = Broker::default();
    broker.add_printer("label");
    events(&broker).await?;
    question(&broker).await
}

/// Unidirectional: whoever is registered hears all of it, in order.
async fn events(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let style = Style::Unidirectional;
    let mut ann = Listener::register(broker, topic(style), UserFilter::PerUser, person("ann"))?;
    // Nothing comes back on it: there is nothing to hear.
    let channel = broker.open(topic(style), Audience::AllUsers, |_| {})?;
    for metres in ["40", "39", "38"] {
        let sent = channel.send(Bytes::from_static(metres.as_bytes()))?;
        println!("source: {metres} m are left ({sent:?})");
    }
    channel.close(None)?;
    for _ in 0..3 {
        match ann.next().await? {
            Notification::Data(metres) => println!("ann: {} m", String::from_utf8_lossy(&metres)),
            Notification::Release => println!("ann: the printer was deleted"),
        }
    }
    Ok(())
}

/// Bidirectional: everybody is asked, the first answer is taken, the others are released.
async fn question(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let style = Style::Bidirectional;
    let (heard, mut hears) = tokio::sync::mpsc::channel(8);
    // The sink is called by whoever answers, on their thread: it passes on and returns.
    let sink = move |event| drop(heard.try_send(event));
    let channel = broker.open(topic(style), Audience::AllUsers, sink)?;
    channel.send(Bytes::from_static(b"Which roll is in?"))?;

    // They may also come after the question.
    let mut ann = Listener::register(broker, topic(style), UserFilter::PerUser, person("ann"))?;
    let mut bob = Listener::register(broker, topic(style), UserFilter::PerUser, person("bob"))?;
    let mut of_ann = ann.new_channels().await?.pop().ok_or("ann was not asked")?;
    let mut of_bob = bob.new_channels().await?.pop().ok_or("bob was not asked")?;
    for (name, channel) in [("ann", &mut of_ann), ("bob", &mut of_bob)] {
        if let Reply::Notification(question) = channel.next().await? {
            println!("{name} is asked: {}", String::from_utf8_lossy(&question));
        }
    }

    of_ann.respond(Bytes::from_static(b"thermal, 100 mm"))?;
    if let Some(SourceEvent::Response { from, data }) = hears.recv().await {
        println!("source: {} says: {}", from.name, String::from_utf8_lossy(&data));
    }
    println!("bob answers too, and gets: {:?}", of_bob.close(Some(Bytes::from_static(b"paper")))?);

    channel.close(Some(Bytes::from_static(b"Thank you.")))?;
    println!("ann gets: {:?}", of_ann.next().await?);
    Ok(())
}

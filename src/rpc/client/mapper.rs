//! Asks an endpoint mapper on which port an interface is ([C706] appendix O, `ept_map`).
//!
//! Without authentication, as everybody does. What it says is not protected: who logs on afterwards asks the server to
//! prove itself. Invariant: of an answer only the port is believed; the host is the one that was asked.

use std::net::SocketAddr;

use tokio::time::timeout;

use super::{Answer, Client, Failure, Options};
use crate::rpc::epm::{ID, NOT_REGISTERED, Tower, op};
use crate::rpc::limits::{MAPPER_WAIT, TOWER_BYTES};
use crate::rpc::ndr::{BadStub, ContextHandle, Reader, Syntax, Writer};
use crate::rpc::uuid::{SyntaxId, Uuid};

/// Where endpoint mappers listen.
pub const PORT: u16 = 135;

/// Towers that are asked for.
const TOWERS: usize = 4;

/// The address at which a host serves an interface over TCP. `port` is its endpoint mapper's, usually [`PORT`].
pub async fn find(host: &str, port: u16, interface: &SyntaxId) -> Result<SocketAddr, Failure> {
    let mut last = Failure::Lost(format!("{host} has no address"));
    for mapper in resolve(host, port).await? {
        match ask(mapper, interface).await {
            Ok(port) => return Ok(SocketAddr::new(mapper.ip(), port)),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// The addresses of a host.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|error| Failure::Lost(format!("{host}: {error}")))?;
    Ok(found.collect())
}

/// Asks the endpoint mapper at this address for the TCP port of an interface.
pub async fn ask(mapper: SocketAddr, interface: &SyntaxId) -> Result<u16, Failure> {
    let asked = async {
        // In NDR, as the towers are: implementations differ in how they pad towers in NDR64.
        let options = Options { ndr64: false, ..Options::anonymous() };
        let client = Client::connect(mapper, options, &ID).await?;
        client.call(&ID, op::MAP, |syntax| request(interface, syntax)).await
    };
    let answer = timeout(MAPPER_WAIT, asked).await.map_err(|_| {
        Failure::Lost(format!("the endpoint mapper at {mapper} takes too long to answer"))
    })??;
    let found = response(&answer).map_err(|bad| {
        Failure::Lost(format!("the endpoint mapper at {mapper} answers nonsense: {bad}"))
    })?;
    found.ok_or(Failure::NoInterface(*interface))
}

/// An object (none), a tower, a handle (none), how many towers may come back.
fn request(interface: &SyntaxId, syntax: Syntax) -> Vec<u8> {
    let tcp = Some(([0, 0, 0, 0].into(), 0));
    let tower = Tower { interface: *interface, transfer: SyntaxId::NDR, tcp }.encode();
    let mut stub = Writer::new(syntax);
    stub.pointer(true).uuid(Uuid::NIL).pointer(true).count(tower.len());
    stub.u32(u32::try_from(tower.len()).unwrap_or(0)).bytes(&tower);
    stub.context_handle(&ContextHandle::NULL);
    stub.u32(u32::try_from(TOWERS).unwrap_or(0));
    stub.finish()
}

/// The port of the first tower over TCP.
fn response(answer: &Answer) -> Result<Option<u16>, BadStub> {
    let mut reader = answer.reader();
    reader.context_handle()?;
    let count = reader.u32()?;
    let (_most, _offset, actual) = (reader.count()?, reader.count()?, reader.count()?);
    if u32::try_from(actual) != Ok(count) || actual > TOWERS {
        return Err(reader.bad("not as many towers as were told"));
    }
    let mut there = 0;
    for _ in 0..actual {
        there += usize::from(reader.pointer()?);
    }
    let mut port = None;
    for _ in 0..there {
        let found = tower(&mut reader)?.and_then(|tower| tower.tcp).map(|(_, port)| port);
        port = port.or(found.filter(|port| *port != 0));
    }
    let status = reader.u32()?;
    if status != 0 && status != NOT_REGISTERED {
        return Err(reader.bad("it failed"));
    }
    Ok(port)
}

fn tower(reader: &mut Reader<'_>) -> Result<Option<Tower>, BadStub> {
    let most = reader.count()?;
    let bytes = reader.u32()?;
    if usize::try_from(bytes) != Ok(most) || most > TOWER_BYTES {
        return Err(reader.bad("a tower is too long"));
    }
    let tower = Tower::decode(reader.bytes(most)?).ok();
    Ok(tower)
}

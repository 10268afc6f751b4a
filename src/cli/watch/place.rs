//! Which server is meant, and who asks.
//!
//! ```text
//!   --server HOST[:RPCPORT] --user NAME    that server, with a password: endpoint mapper where no port is given
//!   nothing                                the local server: listeners.json and local-credential in its state directory
//! ```
//!
//! Invariant: the local server is looked up at each attempt, since another start has another port and another secret.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;

use crate::accounts::local;
use crate::cli::Failed;
use crate::cli::client::join;
use crate::cli::serve::default_config;
use crate::cli::user::password;
use crate::config::{Config, default_state_dir};
use crate::pan::client::{Error, Server};
use crate::rpc::auth::Credentials;
use crate::rpc::client::Client;

#[derive(Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The server, with or without its RPC port [default: the local server]
    #[arg(long, value_name = "HOST[:RPCPORT]")]
    server: Option<String>,
    /// The account, [DOMAIN\]NAME [default on the server's own machine: none is needed]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password from standard input, one line
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// The port of the server's endpoint mapper
    #[arg(long, value_name = "PORT", default_value_t = crate::rpc::client::mapper::PORT)]
    mapper_port: u16,
    /// The local server's configuration file [default: /etc/despool/despool.toml if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the local server keeps its state, whatever the configuration says
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// A server and a credential for it.
#[derive(Clone)]
pub(in crate::cli) struct Place {
    server: Where,
    who: Option<Credentials>,
}

#[derive(Clone)]
enum Where {
    There {
        host: String,
        port: Option<u16>,
        mapper_port: u16,
    },
    /// The server whose state is here.
    Local {
        state_dir: PathBuf,
        domain: String,
    },
}

impl Arguments {
    /// What the command line means. Asks for the password.
    pub(in crate::cli) fn find(&self) -> Result<Place, Failed> {
        let server = match &self.server {
            Some(server) => {
                let (host, port) = split(server)?;
                Where::There { host, port, mapper_port: self.mapper_port }
            }
            None => self.local()?,
        };
        let who = match &self.user {
            Some(user) => Some(self.credentials(user, &server)?),
            None => None,
        };
        if let (Where::There { .. }, None) = (&server, &who) {
            return Err("who are you there? Give --user NAME".into());
        }
        Ok(Place { server, who })
    }

    fn local(&self) -> Result<Where, Failed> {
        let config = match self.config.clone().or_else(default_config) {
            Some(file) => Some(Config::load(&file).map_err(|problems| join(&problems))?),
            None => None,
        };
        let domain = config.as_ref().map(|config| config.security.domain.clone());
        let state_dir = match &self.state_dir {
            Some(state_dir) => std::path::absolute(state_dir)?,
            None => config.map_or_else(default_state_dir, |config| config.server.state_dir),
        };
        Ok(Where::Local { state_dir, domain: domain.unwrap_or_default() })
    }

    fn credentials(&self, user: &str, server: &Where) -> Result<Credentials, Failed> {
        let own = match server {
            Where::Local { domain, .. } => domain.as_str(),
            Where::There { .. } => "",
        };
        let (domain, name) = user.split_once('\\').unwrap_or((own, user));
        let password =
            if self.password_stdin { password::one_line()? } else { password::ask_once(name)? };
        Ok(Credentials::new(domain, name, &password))
    }
}

impl Place {
    /// The local server whose state is here, with its own credential.
    pub(in crate::cli) fn local(state_dir: &Path, domain: &str) -> Self {
        let (state_dir, domain) = (state_dir.to_owned(), domain.to_owned());
        Self { server: Where::Local { state_dir, domain }, who: None }
    }

    /// Whether it logs on by the local credential, which is an administrator's.
    pub(super) fn is_local(&self) -> bool {
        self.who.is_none()
    }

    /// What the server calls a printer.
    pub(in crate::cli) fn printer_name(&self, printer: &str) -> String {
        let host = match &self.server {
            Where::There { host, .. } => host,
            Where::Local { .. } => "localhost",
        };
        format!("\\\\{host}\\{printer}")
    }

    /// Makes an association.
    pub(in crate::cli) async fn connect(&self) -> Result<Rc<Client>, Error> {
        match (&self.server, &self.who) {
            (Where::There { host, port, mapper_port }, Some(who)) => {
                let server = Server::new(host, who.clone()).with_mapper_at(*mapper_port);
                let server = match port {
                    Some(port) => server.at_port(*port),
                    None => server,
                };
                server.connect().await
            }
            (Where::There { .. }, None) => {
                Err(Error::NotAuthenticated("there is no account to log on with".to_owned()))
            }
            (Where::Local { state_dir, .. }, Some(who)) => {
                let address = address(state_dir)?;
                server(address, who.clone()).connect().await
            }
            (Where::Local { state_dir, domain }, None) => by_secret(state_dir, domain).await,
        }
    }
}

/// Logs on by the secret of the local server.
async fn by_secret(state_dir: &Path, domain: &str) -> Result<Rc<Client>, Error> {
    let address = address(state_dir)?;
    let secret = local::read(state_dir).ok_or_else(|| {
        let path = local::path(state_dir);
        Error::NotAuthenticated(format!(
            "{} cannot be read; be the user that the server runs as, or give --user NAME",
            path.display()
        ))
    })?;
    let credentials = Credentials::new(domain, local::NAME, &secret);
    let connected = server(address, credentials).connect().await;
    match connected {
        // The server was started again meanwhile.
        Err(Error::NotAuthenticated(why)) if local::read(state_dir) != Some(secret) => {
            Err(Error::Unreachable(why))
        }
        connected => connected,
    }
}

fn server(address: SocketAddr, credentials: Credentials) -> Server {
    Server::new(&address.ip().to_string(), credentials).at_port(address.port())
}

/// Where the local server listens, as it says itself.
fn address(state_dir: &Path) -> Result<SocketAddr, Error> {
    let unreachable = |why: &str| Error::Unreachable(format!("{}: {why}", state_dir.display()));
    let text = std::fs::read_to_string(state_dir.join("listeners.json")).map_err(|_| {
        unreachable("no server runs with this state directory; start one with `despool serve`, or give --server")
    })?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| unreachable("listeners.json is not readable"))?;
    let said = json.get("rpc").and_then(|said| said.as_str()).and_then(|said| said.parse().ok());
    let address: SocketAddr = said.ok_or_else(|| {
        unreachable(
            "the server does not listen for RPC; write rpc = \"127.0.0.1:0\" under [listen]",
        )
    })?;
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, address.port()))
}

/// A host, and perhaps a port.
fn split(server: &str) -> Result<(String, Option<u16>), Failed> {
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse::<u16>().ok().filter(|port| *port != 0);
            let wrong = || format!("--server {server}: the port is not a number from 1 to 65535");
            (bare(host), Some(port.ok_or_else(wrong)?))
        }
        _ => (bare(server), None),
    };
    if host.is_empty() {
        return Err(format!("--server {server}: there is no host in it").into());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_a_port() {
        for (given, host, port) in [
            ("printsrv", "printsrv", None),
            ("printsrv:49670", "printsrv", Some(49670)),
            ("10.0.0.5", "10.0.0.5", None),
            ("[::1]:49670", "::1", Some(49670)),
            ("[::1]", "::1", None),
            ("fe80::1", "fe80::1", None),
        ] {
            assert_eq!(split(given).unwrap(), (host.to_owned(), port), "{given}");
        }
        for wrong in ["", ":1", "printsrv:", "printsrv:0", "printsrv:70000", "printsrv:ipp"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_the_local_server_is() {
        let dir = tempfile::tempdir().unwrap();
        let said = |json: &str| {
            std::fs::write(dir.path().join("listeners.json"), json).unwrap();
            address(dir.path()).map_err(|error| error.to_string())
        };
        assert_eq!(said("{\"rpc\":\"0.0.0.0:7\"}"), Ok("127.0.0.1:7".parse().unwrap()));
        assert_eq!(said("{\"rpc\":\"[::]:7\"}"), Ok("[::1]:7".parse().unwrap()));
        assert_eq!(said("{\"rpc\":\"10.0.0.5:7\"}"), Ok("10.0.0.5:7".parse().unwrap()));
        assert!(said("{\"ipp\":\"10.0.0.5:7\"}").unwrap_err().contains("[listen]"));
        assert!(said("{").unwrap_err().contains("listeners.json"));
        std::fs::remove_file(dir.path().join("listeners.json")).unwrap();
        assert!(address(dir.path()).unwrap_err().to_string().contains("despool serve"));
    }
}

//! `despool user`: the accounts of this machine's server. They are a file under its state directory; a server that runs
//! sees each change at once.

pub(super) mod password;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::output::say;
use super::serve::load;
use super::{At, Failed, Outcome};
use crate::Error;
use crate::accounts::{Account, Accounts, name};
use crate::identity::Identity;

#[derive(Args, Debug)]
pub(super) struct User {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    at: At,
    /// Where the server keeps its state, whatever the configuration says
    #[arg(long, value_name = "DIR", global = true)]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an account
    Add {
        #[command(flatten)]
        whose: Whose,
        /// May see what is for all users' eyes
        #[arg(long)]
        admin: bool,
    },
    /// Change an account's password
    Passwd {
        #[command(flatten)]
        whose: Whose,
    },
    /// List accounts
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Remove an account
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// An account that gets a password.
#[derive(Args, Debug)]
struct Whose {
    /// Its name
    #[arg(value_name = "NAME", value_parser = checked)]
    name: String,
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
}

fn checked(text: &str) -> Result<String, String> {
    name::check(text).map(|()| text.to_owned())
}

impl Whose {
    fn password(&self) -> Result<Zeroizing<String>, Failed> {
        if self.password_stdin { password::one_line() } else { password::ask(&self.name) }
    }
}

pub(super) fn run(args: &User) -> Outcome {
    args.at.must_be_here()?;
    let config = load(args.at.config.clone(), args.state_dir.as_deref())?;
    let accounts = Accounts::of(&config);
    match &args.verb {
        Verb::Add { whose, admin } => {
            // Before anybody types a password for nothing; here and below.
            if accounts.find(&whose.name)?.is_some() {
                return Err(Error::AccountExists { name: whose.name.clone() }.into());
            }
            accounts.add(&whose.name, &whose.password()?, *admin)?;
            say(format_args!("account \"{}\" was made", whose.name))?;
        }
        Verb::Passwd { whose } => {
            if accounts.find(&whose.name)?.is_none() {
                return Err(Error::NoSuchAccount { name: whose.name.clone() }.into());
            }
            accounts.set_password(&whose.name, &whose.password()?)?;
            say(format_args!("the password of \"{}\" was changed", whose.name))?;
        }
        Verb::List { json } => list(&accounts, *json)?,
        Verb::Remove { name } => {
            accounts.remove(name)?;
            say(format_args!("account \"{name}\" was removed"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(accounts: &Accounts, json: bool) -> Result<(), Failed> {
    let all = accounts.list()?;
    if !json {
        say(format_args!("{:<20} {:<6} {:<20} IDENTITY", "NAME", "ADMIN", "CREATED"))?;
    }
    for account in &all {
        let Identity { id, name, admin } = accounts.identity(account);
        let Account { created, .. } = account;
        if json {
            let created = created.to_string();
            say(json!({ "name": &*name, "id": &*id, "admin": admin, "created": created }))?;
        } else {
            let admin = if admin { "yes" } else { "no" };
            let created = super::time::local(created.as_second());
            say(format_args!("{name:<20} {admin:<6} {created:<20} {id}"))?;
        }
    }
    Ok(())
}

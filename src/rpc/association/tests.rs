mod binds;
mod calls;
mod client;
mod fuzz;
mod limits;
mod security;

use super::*;

mod binds;
mod calls;
mod client;
mod desk;
mod fuzz;
mod limits;
mod security;

use super::*;

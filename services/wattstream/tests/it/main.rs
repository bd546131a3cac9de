//! The program as its users run it: real processes, real files, real sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and may say why")]

mod access;
mod bad_input;
mod charts;
mod commands;
mod described;
mod exports;
mod killed;
mod live;
mod newcomer;
mod process;
mod real_data;
mod silence;
mod state_size;
mod tap;
mod top;
mod watching;

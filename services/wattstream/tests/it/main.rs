//! The program as its users run it: real processes, real files, real sockets.

mod bad_input;
mod commands;
mod killed;
mod newcomer;
mod process;
mod real_data;

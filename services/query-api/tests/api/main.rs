//! The API from outside: requests go through the whole router, the ports are in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

mod access;
mod anomalies;
mod dead_letters;
mod formats;
#[cfg(feature = "lambda")]
mod gateway;
mod harness;
mod layers;
mod live;
mod memory;
mod openapi;
mod pages;
mod problems;
mod readings;
mod records;
mod series;
mod sites;
mod summary;

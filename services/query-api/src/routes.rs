//! The addresses, a module a subject. Handlers translate in, call one port or a few, and translate out.

pub(crate) mod alerts;
pub(crate) mod anomalies;
pub(crate) mod dead_letters;
pub(crate) mod docs;
pub(crate) mod episodes;
pub(crate) mod health;
pub(crate) mod live;
pub(crate) mod page;
pub(crate) mod readings;
pub(crate) mod records;
pub(crate) mod series;
pub(crate) mod sites;
pub(crate) mod summary;

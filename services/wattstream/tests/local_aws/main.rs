//! The commands of operators, as a real process against a local AWS.

mod archive;
mod dead_letters;
mod doctor;
mod stand;

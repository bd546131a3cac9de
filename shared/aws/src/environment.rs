//! The environment of a Lambda function: its variables, read once at the start.
//!
//! What must always hold: a start with missing or bad variables fails with one message that names them all.

use std::collections::BTreeMap;
use std::fmt;

/// The variables of a process, and what was wrong with those that were asked for.
#[derive(Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

/// Everything that is wrong with the environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct EnvironmentError(Vec<String>);

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment is not complete: {}", self.0.join("; "))
    }
}

impl Environment {
    /// The environment of this process. A variable that is not Unicode counts as missing.
    pub fn of_this_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of `name`, which must be there and not be empty.
    pub fn required(&mut self, name: &'static str) -> String {
        match self.optional(name) {
            Some(value) => value.to_owned(),
            None => {
                self.mistakes.push(format!("{name} is not set"));
                String::new()
            }
        }
    }

    /// The value of `name`, parsed, or `default` when it is not set.
    pub fn parsed<T>(&mut self, name: &'static str, default: T) -> T
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        let Some(text) = self.optional(name) else { return default };
        let mistake = match text.parse() {
            Ok(value) => return value,
            Err(error) => format!("{name} is {text:?}: {error}"),
        };
        self.mistakes.push(mistake);
        default
    }

    /// The value of `name`, when it is set and not empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether `name` is set to `1`.
    pub fn is_on(&self, name: &str) -> bool {
        self.optional(name) == Some("1")
    }

    /// The names of the variables that begin with `prefix`.
    pub fn names_beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.variables.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// An error when anything that was asked for was missing or bad.
    pub fn check(&self) -> Result<(), EnvironmentError> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(EnvironmentError(self.mistakes.clone())) }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, mistakes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_in_one_message() {
        let mut environment = Environment::from_iter([("A", "x"), ("B", ""), ("N", "many")]);
        assert_eq!(environment.required("A"), "x");
        assert_eq!(environment.required("B"), "");
        assert_eq!(environment.required("C"), "");
        assert_eq!(environment.parsed("N", 3), 3);
        assert_eq!(environment.parsed("M", 4), 4);
        let message = environment.check().unwrap_err().to_string();
        for part in ["B is not set", "C is not set", "N is \"many\": invalid digit"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains('M'), "{message}");
    }

    #[test]
    fn a_complete_environment_passes() {
        let mut environment = Environment::from_iter([("A", "x"), ("ON", "1"), ("OFF", "0")]);
        environment.required("A");
        assert_eq!(environment.check(), Ok(()));
        assert!(environment.is_on("ON") && !environment.is_on("OFF") && !environment.is_on("NONE"));
        assert_eq!(environment.names_beginning_with("O").collect::<Vec<_>>(), ["OFF", "ON"]);
    }
}

//! The query string. What must always hold: a parameter is taken when its route documents it and refused otherwise,
//! because one table serves both; a parameter stands at most once.

use std::ops::RangeInclusive;

use axum::extract::Query;
use axum::http::Uri;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Required};

use crate::near::{nearest, suggestion};
use crate::problem::{Problem, ProblemType, quote};

/// A parameter that a route takes.
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, for the documentation.
    pub(crate) description: &'static str,
    /// What it looks like.
    pub(crate) form: Form,
}

/// What a parameter looks like.
pub(crate) enum Form {
    /// A text. It has no example: Swagger UI would send it along.
    Text,
    /// A text of this pattern and more than that: an instant, a cursor, the id of a site.
    Pattern(&'static str),
    /// A whole number.
    Limit(&'static Limit),
    /// One of these; the first when the client does not say.
    Choice(&'static [&'static str]),
}

/// How many entries a page may have.
pub(crate) struct Limit {
    /// When the client does not say.
    pub(crate) default: usize,
    /// The most.
    pub(crate) max: usize,
}

/// The name of the parameter that every page takes.
pub(crate) const LIMIT: &str = "limit";
/// The name of the parameter that carries a cursor.
pub(crate) const CURSOR: &str = "cursor";

/// The parameters of one request, each known to its route.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
}

impl Parameters {
    /// Reads the query string of `uri`.
    pub(crate) fn of(uri: &Uri, known: &[Parameter]) -> Result<Self, Problem> {
        let given = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| {
            Problem::new(
                ProblemType::RequestInvalid,
                "The query string could not be read as name=value pairs.",
            )
        })?;
        let parameters = Self { given: given.0 };
        for (place, (name, _)) in parameters.given.iter().enumerate() {
            if !known.iter().any(|parameter| parameter.name == name) {
                return Err(unknown(name, known));
            }
            if parameters.given[..place].iter().any(|(earlier, _)| earlier == name) {
                let detail = format!("{name} is given more than once. Give it once.");
                return Err(Problem::new(ProblemType::RepeatedParameter, detail).about(name));
            }
        }
        Ok(parameters)
    }

    /// The value of a parameter, decoded.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The one of `choices` that a parameter names; the first when it is not given.
    pub(crate) fn choice(&self, name: &str, choices: &[&'static str]) -> Result<&'static str, Problem> {
        let Some(text) = self.get(name) else { return Ok(choices[0]) };
        choices.iter().copied().find(|choice| *choice == text).ok_or_else(|| {
            let near = nearest(text, choices.iter().copied());
            let detail = format!(
                "{name}={} is not known.{} It is one of {}.",
                quote(text),
                suggestion(&near),
                choices.join(", ")
            );
            Problem::new(ProblemType::ParameterInvalid, detail).about(name).near(near)
        })
    }

    /// The number of entries that is asked for.
    pub(crate) fn limit(&self, limit: &Limit) -> Result<usize, Problem> {
        let Some(text) = self.get(LIMIT) else {
            return Ok(limit.default);
        };
        let allowed: RangeInclusive<usize> = 1..=limit.max;
        text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
            let detail = format!("{LIMIT} is a whole number from 1 to {}, not {}.", limit.max, quote(text));
            Problem::new(ProblemType::ParameterInvalid, detail).about(LIMIT)
        })
    }
}

fn unknown(name: &str, known: &[Parameter]) -> Problem {
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    let near = nearest(name, names.iter().copied());
    let taken = if names.is_empty() {
        "This address takes none.".to_owned()
    } else {
        format!("This address takes {}.", names.join(", "))
    };
    let detail = format!("There is no parameter {}.{} {taken}", quote(name), suggestion(&near));
    Problem::new(ProblemType::UnknownParameter, detail).about(name).near(near)
}

/// The documentation of `known`.
pub(crate) fn document(known: &[Parameter]) -> Vec<utoipa::openapi::path::Parameter> {
    known
        .iter()
        .map(|parameter| {
            ParameterBuilder::new()
                .name(parameter.name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(parameter.description))
                .schema(Some(schema(&parameter.form)))
                .build()
        })
        .collect()
}

fn schema(form: &Form) -> RefOr<Schema> {
    let object = match form {
        Form::Text => ObjectBuilder::new().schema_type(Type::String),
        Form::Pattern(pattern) => {
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).pattern(Some(*pattern))
        }
        Form::Limit(limit) => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(limit.max))
            .default(Some(limit.default.into())),
        Form::Choice(choices) => ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(choices.iter().copied()))
            .default(Some(choices[0].into())),
    };
    object.build().into()
}

/// Documents a table of parameters under the name of a type, as `#[utoipa::path]` asks for it.
macro_rules! documented {
    ($name:ident, $known:expr) => {
        struct $name;

        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                crate::parameters::document($known)
            }
        }
    };
}
pub(crate) use documented;

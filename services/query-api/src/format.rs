//! In which form a list is answered: as JSON, as one JSON a line, or as CSV.
//!
//! What must always hold: the rows are the same in every form, and a column of CSV has the name of its member in JSON; a number of CSV
//! is a number; a text of CSV is no formula, whatever the site sent. A page is a page in every form: its next one is in `Link`; of CSV, the first alone has a header.

mod csv;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::accept;
use crate::json::{self, JsonRow};
use crate::parameters::{CURSOR, Form, Parameter, Parameters};
use crate::problem::{Problem, ProblemType};

pub(crate) use csv::{Cell, CsvRow};

/// The parameter that asks for a form.
pub(crate) const PARAMETER: Parameter = Parameter {
    name: "format",
    description: "The form of the answer. Without it, what `Accept` asks for: `application/json`, `application/x-ndjson` or \
                  `text/csv`. The pages of CSV after the first have no header line, so that pages one after the other are one file.",
    form: Form::Choice(FORMATS),
};
const FORMATS: &[&str] = &["json", "ndjson", "csv"];

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    NdJson,
    Csv(CsvHeader),
}

/// Whether CSV begins with the names of its columns: on the first page alone, so that pages one after the other are one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CsvHeader {
    Present,
    Absent,
}

/// An answer that is a list, and what is told about it as a whole.
pub(crate) trait Listing: Serialize {
    /// One of its rows.
    type Row: JsonRow + CsvRow;

    /// The rows.
    fn rows(&self) -> &[Self::Row];
}

impl Format {
    const ALL: [Self; 3] = [Self::Json, Self::NdJson, Self::Csv(CsvHeader::Present)];

    /// The form that a request asks for.
    pub(crate) fn of(parameters: &Parameters, headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(match Self::asked_for(parameters, headers)? {
            Self::Csv(_) if parameters.get(CURSOR).is_some() => Self::Csv(CsvHeader::Absent),
            format => format,
        })
    }

    fn asked_for(parameters: &Parameters, headers: &HeaderMap) -> Result<Self, Problem> {
        if parameters.get(PARAMETER.name).is_some() {
            return Ok(match parameters.choice(PARAMETER.name, FORMATS)? {
                "csv" => Self::Csv(CsvHeader::Present),
                "ndjson" => Self::NdJson,
                _ => Self::Json,
            });
        }
        Self::accepted(headers).ok_or_else(|| {
            let detail = "Accept asks for no form of this answer. There are application/json, application/x-ndjson and text/csv; \
                          ?format=json, ndjson or csv asks for one whatever Accept says.";
            Problem::new(ProblemType::NotAcceptable, detail)
        })
    }

    /// The form that `Accept` likes best, of several the first.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        accept::best(headers, &Self::ALL.map(Self::media_type)).map(|place| Self::ALL[place])
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv(_) => "text/csv",
        }
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv(CsvHeader::Present) => "text/csv; charset=utf-8; header=present",
            Self::Csv(CsvHeader::Absent) => "text/csv; charset=utf-8; header=absent",
        })
    }

    /// The answer in this form.
    pub(crate) fn answer<L: Listing>(self, headers: HeaderMap, listing: &L) -> Response {
        self.answer_written(headers, self.written(listing))
    }

    /// A list in this form.
    pub(crate) fn written<L: Listing>(self, listing: &L) -> Bytes {
        match self {
            Self::Json => json::written(listing).into(),
            Self::NdJson => json::lines(listing.rows()).into(),
            Self::Csv(header) => csv::written(listing.rows(), header).into(),
        }
    }

    /// The answer that is written already.
    pub(crate) fn answer_written(self, headers: HeaderMap, body: Bytes) -> Response {
        let kind =
            [(header::CONTENT_TYPE, self.content_type()), (header::VARY, HeaderValue::from_static("accept"))];
        (headers, kind, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &[&'static str]) -> Option<Format> {
        let values = accept.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        Format::accepted(&values.collect())
    }

    #[test]
    fn accept_chooses_what_it_likes_best() {
        use Format::{Json, NdJson};
        #[expect(non_upper_case_globals, reason = "it stands among the other forms")]
        const Csv: Format = Format::Csv(CsvHeader::Present);
        let table: [(&[&str], Option<Format>); 14] = [
            (&[], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["text/csv"], Some(Csv)),
            (&["Text/CSV; charset=utf-8"], Some(Csv)),
            (&["text/*"], Some(Csv)),
            (&["application/*"], Some(Json)),
            (&["application/x-ndjson"], Some(NdJson)),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Some(Json)),
            (&["application/json;q=0.2, text/csv;q=0.9"], Some(Csv)),
            (&["application/json;q=0", "*/*;q=0.1"], Some(NdJson)),
            (&["text/csv, application/json"], Some(Json)),
            (&["image/png"], None),
            (&["text/csv;q=0"], None),
            (&["nonsense"], Some(Json)),
        ];
        for (accept, format) in table {
            assert_eq!(accepted(accept), format, "{accept:?}");
        }
    }
}

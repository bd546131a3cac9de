//! `GET /openapi.json` and `/docs`: the description of this API, and a page to try it with. What must always hold: the page
//! asks no other host for anything; the description lists every address of the router (a test asks each).

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    alerts, anomalies, dead_letters, episodes, health, live, readings, records, series, sites, summary,
};

const OPENAPI_PATH: &str = "/openapi.json";

/// Every route of the description and its page, the library's included. None of them holds data.
pub(crate) const PATHS: &[&str] = &[OPENAPI_PATH, "/docs", "/docs/", "/docs/{*rest}"];

/// The name of the way to ask with a token.
const TOKEN: &str = "token";

/// Swagger UI styles its elements one by one, and draws its icons from data.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wattstream",
        description = "Energy telemetry: readings in; net energy, anomalies and totals out.\n\n\
                       Every error is an `application/problem+json` (RFC 9457). Times are UTC; ranges are half-open. \
                       Energies are exact decimals in kWh.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        summary::summary,
        sites::sites,
        sites::site,
        series::fleet::of_all_sites,
        series::of_site,
        records::records,
        records::anomalies,
        anomalies::anomalies,
        episodes::episodes,
        alerts::alerts,
        live::live,
        readings::readings,
        dead_letters::list,
        dead_letters::show,
        dead_letters::redrive_all,
        dead_letters::redrive_one,
        dead_letters::purge_all,
        dead_letters::purge_one,
        health::healthz,
        health::readyz,
        health::metrics,
    ),
    components(schemas(crate::problem::ProblemBody)),
    modifiers(&TokenScheme),
    security((), ("token" = [])),
    tags(
        (name = "sites", description = "What the sites sent and what became of it"),
        (name = "readings", description = "Sending readings"),
        (name = "dead letters", description = "Payloads that could not be processed"),
        (name = "operation", description = "Watching over the process"),
    )
)]
struct Document;

/// A token in the header `Authorization`, where the process asks for one.
struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Asked for where the process was started with `--token-file`."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme));
    }
}

/// The description of the API (OpenAPI 3.1).
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(crate) fn routes() -> Router {
    let description =
        openapi().to_json().expect("the description is made of texts, numbers, lists and maps of texts");
    let description = Bytes::from(description);
    let config = Config::from(OPENAPI_PATH).validator_url("none").try_it_out_enabled(true);
    let page: Router = SwaggerUi::new("/docs").config(config).into();
    let policy = SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    page.layer(policy).route(
        OPENAPI_PATH,
        get(async move || {
            ([(header::CONTENT_TYPE, "application/json")], description.clone()).into_response()
        }),
    )
}

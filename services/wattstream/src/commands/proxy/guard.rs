//! Who may ask the proxy. What must always hold: a request names the proxy's own address as its host, so that a name of another site
//! that points here (DNS rebinding) gets nothing; and no page of another site can write.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::csrf::CsrfLayer;

use super::upstream::problem;

/// The proxy for those who may ask it at this address.
pub(super) fn around(app: Router, address: SocketAddr) -> Router {
    let hosts: Arc<[String]> = [address.to_string(), format!("localhost:{}", address.port())].into();
    app.layer(CsrfLayer::new()).layer(from_fn_with_state(hosts, own_host_only))
}

async fn own_host_only(State(hosts): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| hosts.iter().any(|own| own == host)) {
        return next.run(request).await;
    }
    let detail = format!("This proxy answers at http://{} and under no other name.", hosts[0]);
    problem(StatusCode::MISDIRECTED_REQUEST, &detail).into_response()
}

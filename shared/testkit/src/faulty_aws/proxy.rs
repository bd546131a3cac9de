//! The sockets: requests in, answers out, and connections that are reset.

use std::convert::Infallible;
use std::future;
use std::net;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::exchange::{Answer, Exchange};

/// The longest body that a client may send. DynamoDB and Kinesis take 16 MB and less; an object of the archive may be longer.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// In how many pieces a slow answer arrives.
const SLOW_PIECES: usize = 16;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Serves until it is told to stop; what is under way then is given up.
pub(super) async fn run(listener: net::TcpListener, exchange: Arc<Exchange>, stopped: oneshot::Receiver<()>) {
    let listener = TcpListener::from_std(listener).expect("the listener is in non-blocking mode");
    let serve_all = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&exchange)))),
                // The client has gone again, or there are too many of them at this moment.
                Err(_) => yield_now().await,
            }
        }
    };
    tokio::select! {
        () = serve_all => {}
        _ = stopped => {}
    }
}

/// Serves one connection until its end, or until an answer is that it be reset.
async fn serve(stream: TcpStream, exchange: Arc<Exchange>) {
    // Small pieces are to arrive as they are sent.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(Notify::new());
    let answer = |request| answer(request, Arc::clone(&exchange), Arc::clone(&reset));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    tokio::select! {
        // An error is of this connection and its client's to see.
        _ = &mut connection => {}
        () = reset.notified() => {
            let stream = connection.into_parts().io.into_inner();
            // Without it the client would see an orderly end.
            let _ = stream.set_zero_linger();
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    exchange: Arc<Exchange>,
    reset: Arc<Notify>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        let mut response = Response::new(Full::default().boxed_unsync());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    // In a task of its own: a client that goes away must not leave a request half made.
    let answered = tokio::spawn(exchange.answer(head, body.to_bytes())).await;
    let response = match answered.expect("the exchange does not panic, and nobody cancels it") {
        Answer::Whole(response) => response.map(|body| Full::new(body).boxed_unsync()),
        Answer::Slow(response, over) if response.body().is_empty() => {
            sleep(over).await;
            response.map(|body| Full::new(body).boxed_unsync())
        }
        Answer::Slow(response, over) => streamed(response, |body| in_drops(body, over)),
        Answer::Cut(response) => streamed(response, |body| half_and_reset(body, reset)),
        Answer::Reset => {
            reset.notify_one();
            future::pending().await
        }
        Answer::Silence => future::pending().await,
    };
    Ok(response)
}

/// A response whose head promises the whole body, whatever becomes of it.
fn streamed<S>(response: Response<Bytes>, pieces: impl FnOnce(Bytes) -> S) -> Response<Body>
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    let (mut head, body) = response.into_parts();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let frames = pieces(body).map(|piece| Ok(Frame::data(piece)));
    Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
}

fn in_drops(body: Bytes, over: Duration) -> impl Stream<Item = Bytes> {
    let pieces = body.len().clamp(1, SLOW_PIECES);
    let piece_bytes = body.len().div_ceil(pieces);
    let pause = over / u32::try_from(pieces).expect("there are few pieces");
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pause).await;
        let piece = rest.split_to(piece_bytes.min(rest.len()));
        Some((piece, rest))
    })
}

fn half_and_reset(mut body: Bytes, reset: Arc<Notify>) -> impl Stream<Item = Bytes> {
    let half = body.split_to(body.len() / 2);
    let then_reset = async move {
        // hyper flushes what it has when the body is not ready, so the client gets the half before the reset.
        yield_now().await;
        reset.notify_one();
        future::pending().await
    };
    stream::once(future::ready(half)).chain(stream::once(then_reset))
}

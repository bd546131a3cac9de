//! AWS's signature of a request, version 4, as AWS checks it: from what arrived.
//!
//! Local stand-ins take any signature, so nothing else would notice a body that was put in its place too late.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::server::Request;

/// The secret of the credentials that a local AWS is asked with.
const SECRET: &str = "local";

/// Panics unless the request was signed as it arrived.
pub(crate) fn verify(request: &Request) {
    let authorization = text(&request.headers, "authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name).expect("the parts of a signature");
        rest.split(',').next().unwrap_or_default()
    };
    let (scope, signed_headers) = (part("Credential="), part("SignedHeaders="));
    let (_, scope) = scope.split_once('/').expect("a scope follows the key");
    let line = |name| [name, ":", text(&request.headers, name).trim(), "\n"].concat();
    let headers: String = signed_headers.split(';').map(line).collect();
    let payload = hex(&Sha256::digest(&request.bytes));
    let canonical = format!("POST\n/\n\n{headers}\n{signed_headers}\n{payload}");
    let date = text(&request.headers, "x-amz-date");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key =
        scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    assert_eq!(part("Signature="), hex(&hmac(&key, to_sign.as_bytes())), "the signature covers what arrived");
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// RFC 2104, for keys of at most a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 64;
    assert!(key.len() <= BLOCK_BYTES);
    let pad = |filler: u8| {
        let mut block = [filler; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("four bits are a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

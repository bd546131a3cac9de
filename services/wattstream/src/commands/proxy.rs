//! `wattstream proxy`: the API of a stack on AWS for a browser, which cannot sign. What must always hold: whoever reaches the proxy
//! asks as the person who started it; so nobody beyond this machine reaches it, and no page of another site either.

#[cfg(feature = "aws")]
mod guard;
#[cfg(feature = "aws")]
mod upstream;

use anyhow::ensure;

use crate::cli::ProxyArgs;

/// Signs and passes on until asked to stop.
pub(crate) fn proxy(args: &ProxyArgs) -> anyhow::Result<()> {
    ensure!(
        args.listen.ip().is_loopback(),
        "--listen {}: the proxy signs for whoever reaches it, and so it listens on the loopback only, such as 127.0.0.1:8081",
        args.listen
    );
    serve(args)
}

#[cfg(not(feature = "aws"))]
fn serve(_args: &ProxyArgs) -> anyhow::Result<()> {
    Err(crate::without_aws("the signatures of the proxy"))
}

#[cfg(feature = "aws")]
fn serve(args: &ProxyArgs) -> anyhow::Result<()> {
    use anyhow::Context;

    let stack = crate::stack::Stack::read(&args.stack)?;
    crate::aws::block_on(async |environment| {
        let signer = wattstream_aws::RequestSigner::from_environment(&environment).await?;
        let listener = tokio::net::TcpListener::bind(args.listen).await.with_context(|| {
            format!(
                "cannot listen on {}; another address goes with --listen, and port 0 takes a free one",
                args.listen
            )
        })?;
        let address = listener.local_addr()?;
        announce(address, &stack.api_url)?;
        let app = guard::around(upstream::router(signer, &stack.api_url)?, address);
        axum::serve(listener, app)
            .with_graceful_shutdown(crate::stop::asked_to_stop())
            .await
            .context("serving the proxy")
    })
}

/// Prints the address on stdout, for programs, and what it is on stderr, for people.
#[cfg(feature = "aws")]
fn announce(address: std::net::SocketAddr, api_url: &str) -> std::io::Result<()> {
    use std::io::Write;

    let mut out = std::io::stdout();
    writeln!(out, "http://{address}")?;
    out.flush()?;
    anstream::eprintln!("{api_url}, signed as you; docs at http://{address}/docs; Ctrl-C stops");
    Ok(())
}

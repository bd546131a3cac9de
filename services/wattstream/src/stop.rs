//! How a process is asked to stop. What must always hold: Ctrl-C and SIGTERM are one question.

/// Ends when the process is asked to stop.
pub(crate) async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    wait_for_either(interrupted, terminated).await;
}

async fn wait_for_either(first: impl Future, second: impl Future) {
    tokio::select! {
        _ = first => {}
        _ = second => {}
    }
}

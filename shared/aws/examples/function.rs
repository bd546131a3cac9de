//! The smallest function in the shell: it answers with what it was sent. Told to panic, it does: that is how the shell is
//! tested.

use std::convert::Infallible;
use std::process::ExitCode;

use wattstream_aws::lambda;

fn main() -> ExitCode {
    lambda::run(async |function| {
        function
            .serve(async |event| {
                assert!(!event.get().contains("panic"), "it was told to panic");
                Ok::<_, Infallible>(event)
            })
            .await
    })
}

//! Signatures for questions to the API on AWS. What must always hold: a wattstream that was built without AWS has no signer, and
//! says so when it is asked for one.

/// Header names and values.
pub(crate) type SignatureHeaders = Vec<(&'static str, String)>;

/// What a signature covers, as it goes over the wire.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without AWS nobody signs"))]
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) body: &'a [u8],
}

#[cfg(feature = "aws")]
mod implementation {
    use tokio::runtime::Runtime;
    use wattstream_aws::RequestSigner;

    use super::{Signable, SignatureHeaders};

    /// Signs as whoever the environment says, for a client that waits for each answer.
    pub(crate) struct Signer {
        signer: RequestSigner,
        runtime: Runtime,
    }

    impl Signer {
        pub(crate) fn from_environment() -> anyhow::Result<Self> {
            let (environment, runtime) = crate::aws::begin()?;
            let signer = runtime.block_on(RequestSigner::from_environment(&environment))?;
            Ok(Self { signer, runtime })
        }

        pub(crate) fn sign(&self, signable: Signable<'_>) -> anyhow::Result<SignatureHeaders> {
            let Signable { method, url, body } = signable;
            Ok(self.runtime.block_on(self.signer.sign(method, url, body))?)
        }
    }
}

#[cfg(not(feature = "aws"))]
mod implementation {
    use super::{Signable, SignatureHeaders};

    /// There is none.
    pub(crate) enum Signer {}

    impl Signer {
        pub(crate) fn from_environment() -> anyhow::Result<Self> {
            Err(crate::without_aws("the signatures of --iam"))
        }

        pub(crate) fn sign(&self, _signable: Signable<'_>) -> anyhow::Result<SignatureHeaders> {
            match *self {}
        }
    }
}

pub(crate) use implementation::Signer;

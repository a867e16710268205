//! Whose word for a server's certificate is taken: the authorities of a private network, where its gateway's certificate
//! is not of one that this machine trusts by itself. Checks what it is given; reads no file.

use super::error::ClientError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt;
use std::sync::Arc;

/// Authorities that are trusted instead of this machine's own. None at all means this machine's own. Cheap to clone.
#[derive(Clone, Default)]
pub struct Authorities(Arc<[reqwest::Certificate]>);

impl Authorities {
    /// Every certificate of a text in PEM.
    ///
    /// # Errors
    /// [`ClientError::Authorities`] where there is none, or one that cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ClientError> {
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            // The error may quote the text.
            let certificate = certificate.map_err(|_| bad("they are not PEM"))?;
            // What nothing can be built on later is said now.
            RootCertStore::empty().add(certificate.clone()).map_err(bad)?;
            certificates.push(reqwest::Certificate::from_der(&certificate).map_err(bad)?);
        }
        if certificates.is_empty() {
            return Err(bad("there is no line -----BEGIN CERTIFICATE-----"));
        }
        Ok(Self(certificates.into()))
    }

    /// Whether this machine's own are trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = reqwest::Certificate> {
        self.0.iter().cloned()
    }
}

fn bad(why: impl fmt::Display) -> ClientError {
    ClientError::Authorities(why.to_string())
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} authorities", self.0.len())
    }
}

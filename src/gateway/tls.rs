//! TLS: the certificate and the key from their files, checked against each other before anybody connects, and read again
//! when they are renewed.
//!
//! rustls with ring, TLS 1.2 and 1.3, HTTP/1.1 alone. It asks no caller for a certificate: who somebody is, a token says
//! (`auth`). No message holds a byte of the key.

use rustls::ServerConfig;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Longer than any chain; a file beyond it is the wrong file.
const FILE_LIMIT: u64 = 1024 * 1024;

/// The files with the gateway's certificate and key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those that lead from it to its authority.
    pub certificate: PathBuf,
    /// Its private key, without a pass phrase.
    pub key: PathBuf,
}

/// Why TLS cannot be spoken with those files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or cannot be read.
    #[error("cannot read the TLS {what} {}: {why}", path.display())]
    Read {
        /// Which of the two.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The file holds nothing of its kind.
    #[error("the file {} holds no TLS {what} in PEM: it must have a line -----BEGIN {label}-----{hint}", path.display())]
    Nothing {
        /// Which of the two.
        what: &'static str,
        /// What the block is called that was looked for.
        label: &'static str,
        /// What else may be wrong.
        hint: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// What the file holds cannot be used.
    #[error("the TLS {what} in {} cannot be used: {why}", path.display())]
    Unusable {
        /// Which of the two.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The two do not belong together.
    #[error(
        "the TLS key in {} is not that of the certificate in {}: name the two files that were made together \
         (in the certificate's file, the gateway's own certificate stands first)",
        .0.key.display(), .0.certificate.display()
    )]
    Mismatch(TlsFiles),
}

/// The certificate and the key in use.
pub(crate) struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads both and checks them.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let config = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, config })
    }

    /// Reads both again, for the connections that come. Where they cannot be used, those that were stay.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(read(&self.files)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Takes the next connection with what is in use now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let (certificates, key) = (certificates(&files.certificate)?, key(&files.key)?);
    let unusable = |what, path: &Path, why: String| TlsError::Unusable { what, path: path.to_owned(), why };
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("key", &files.key, error.to_string()))?;
    let config = builder.with_no_client_auth().with_single_cert(certificates, key);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch(files.clone()),
        rustls::Error::InvalidCertificate(why) => {
            unusable("certificate", &files.certificate, format!("it cannot be read ({why})"))
        }
        other => unusable("key", &files.key, other.to_string()),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificate";
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(what, path)?).collect();
    let found = found.map_err(|error| unusable(what, path, &error))?;
    if found.is_empty() {
        let (label, hint) = ("CERTIFICATE", "");
        return Err(TlsError::Nothing { what, label, hint, path: path.to_owned() });
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "key";
    PrivateKeyDer::from_pem_slice(&bytes(what, path)?).map_err(|error| match error {
        PemError::NoItemsFound => {
            let hint = "; a key with a pass phrase is not taken";
            TlsError::Nothing { what, label: "PRIVATE KEY", hint, path: path.to_owned() }
        }
        other => unusable(what, path, &other),
    })
}

/// Only what kind of mistake it is: the error itself may quote the file.
fn unusable(what: &'static str, path: &Path, error: &PemError) -> TlsError {
    let why = match error {
        PemError::MissingSectionEnd { .. } => "a block has no -----END line",
        PemError::Base64Decode(_) => "a block is not base64",
        _ => "it is not PEM",
    };
    TlsError::Unusable { what, path: path.to_owned(), why: why.into() }
}

fn bytes(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let error = |why| TlsError::Read { what, path: path.to_owned(), why };
    let file = File::open(path).map_err(error)?;
    let mode = file.metadata().map_err(error)?.permissions().mode() & 0o777;
    if what == "key" && mode & 0o077 != 0 {
        let (path, mode) = (path.display(), format!("{mode:03o}"));
        tracing::warn!(%path, mode, "others can read the TLS key: run chmod 600 on it, and get a new one");
    }
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(error(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB")));
    }
    Ok(bytes)
}

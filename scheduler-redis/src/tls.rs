//! TLS for `rediss://`: the certificate's chain and the host's name are always verified.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_rustls::TlsConnector;

/// Whose certificates are believed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RootCertificates<'a> {
    /// Those the system believes.
    System,
    /// Those in this PEM text, and no other.
    Pem(&'a [u8]),
}

/// The connector for these roots; `Err` says what is wrong with them.
///
/// The cryptography is named here: the process's default is the application's to choose, and may be none.
pub(crate) fn connector(roots: RootCertificates<'_>) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(root_store(roots)?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn root_store(roots: RootCertificates<'_>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    match roots {
        RootCertificates::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err("the system has no root certificates: name a file by `sslrootcert` in the URL".to_owned());
            }
        }
        RootCertificates::Pem(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate =
                    certificate.map_err(|error| format!("the root certificates can't be read: {error}"))?;
                store.add(certificate).map_err(|error| format!("a root certificate can't be used: {error}"))?;
            }
            if store.is_empty() {
                return Err("the root certificates' text has no certificate in it".to_owned());
            }
        }
    }
    Ok(store)
}

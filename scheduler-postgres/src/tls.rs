//! TLS by `sslmode` and `sslrootcert`, with the meanings that libpq gives them.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{RootCertificates, SslMode};

/// The connector for these settings; `Err` says what is wrong with them.
pub(crate) fn connector(mode: SslMode, roots: &RootCertificates) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let verifies = match (mode, roots) {
        (SslMode::VerifyFull, _) => Verifies::Name,
        // As libpq does: a root certificate given makes `require` verify the chain.
        (SslMode::VerifyCa, _) | (SslMode::Require, RootCertificates::File(_)) => Verifies::Chain,
        _ => Verifies::Nothing,
    };
    let inner = match verifies {
        Verifies::Nothing => None,
        Verifies::Chain | Verifies::Name => {
            let store = Arc::new(root_store(roots)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider))
                .build()
                .map_err(|error| format!("the root certificates can't be used: {error}"))?;
            Some(verifier)
        }
    };
    let verifier = Verifier { inner, names: verifies == Verifies::Name, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn root_store(roots: &RootCertificates) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    match roots {
        RootCertificates::System => {
            let loaded = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(loaded.certs);
            if store.is_empty() {
                return Err("the system has no root certificates: name a file by `sslrootcert` in the URL".to_owned());
            }
        }
        RootCertificates::File(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| format!("`sslrootcert={}` can't be read: {error}", path.display()))?;
            for certificate in certificates {
                store
                    .add(certificate)
                    .map_err(|error| format!("`sslrootcert={}` can't be used: {error}", path.display()))?;
            }
            if store.is_empty() {
                return Err(format!("`sslrootcert={}` has no certificate in it", path.display()));
            }
        }
    }
    Ok(store)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verifies {
    Nothing,
    Chain,
    Name,
}

/// Verifies as much of a server's certificate as `sslmode` asks for; signatures always.
#[derive(Debug)]
struct Verifier {
    inner: Option<Arc<WebPkiServerVerifier>>,
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, once the chain holds.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.names => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! A certificate authority of the clone's own, and one certificate for both servers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use super::{
    account::{Account, give},
    state::write_private,
};
use crate::failure::{Context, Result};

/// The files the servers read.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    pub(crate) directory: PathBuf,
}

impl Certificates {
    /// Those in `home`; made if they are not there. `ca_file` is the copy for the clients.
    ///
    /// The authority's key is never written: nothing but this one certificate can claim its trust.
    pub(crate) fn provide(home: &Path, ca_file: &Path, account: Option<&Account>) -> Result<Self> {
        let own = Self { directory: home.join("tls") };
        if own.key().exists() && ca_file.exists() {
            return Ok(own);
        }
        let made = generate().context(|| "making certificates".to_owned())?;
        let write = || {
            fs::create_dir_all(&own.directory)?;
            fs::write(own.authority(), &made.authority)?;
            fs::write(own.certificate(), &made.certificate)?;
            write_private(&own.key(), &made.key)?;
            fs::write(ca_file, &made.authority)
        };
        write().context(|| format!("writing certificates to {}", own.directory.display()))?;
        for path in [&own.directory, &own.authority(), &own.certificate(), &own.key()] {
            give(account, path)?;
        }
        Ok(own)
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.join("server.key")
    }
}

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn generate() -> std::result::Result<Made, rcgen::Error> {
    let mut authority = CertificateParams::new([])?;
    authority.distinguished_name.push(DnType::CommonName, "scheduler tests' certificate authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut server = CertificateParams::new(["localhost", "127.0.0.1", "::1"].map(str::to_owned))?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Made { authority: authority_certificate.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let ca_file = directory.path().join("ca-for-clients.pem");
        let made = Certificates::provide(directory.path(), &ca_file, None).unwrap();
        let key = fs::read_to_string(made.key()).unwrap();
        let again = Certificates::provide(directory.path(), &ca_file, None).unwrap();
        assert_eq!(fs::read_to_string(again.key()).unwrap(), key);
        assert_eq!(fs::read(again.authority()).unwrap(), fs::read(&ca_file).unwrap());
    }
}

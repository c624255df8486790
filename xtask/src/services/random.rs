//! Names and passwords that nobody can guess.

use std::{fs::File, io::Read};

use crate::failure::{Context, Result};

/// `bytes` random bytes in hexadecimal digits.
pub(crate) fn hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context(|| "reading /dev/urandom".to_owned())?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

//! What a zone's time is called, as `WIB`, `CEST` or `+0545`.

use std::fmt;

/// At most eight ASCII characters, filled up with zeros; the longest of the data has six.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Abbreviation([u8; 8]);

impl Abbreviation {
    /// The first eight of the characters that may stand in one.
    pub(super) fn new(text: &[u8]) -> Abbreviation {
        let mut bytes = [0; 8];
        let allowed = text.iter().filter(|&&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
        for (place, &byte) in bytes.iter_mut().zip(allowed) {
            *place = byte;
        }
        Abbreviation(bytes)
    }

    pub(super) fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..length]).expect("only ASCII is kept")
    }
}

impl fmt::Debug for Abbreviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! Where a page of a list begins.

use crate::error::ApiError;

/// The cursors of one list, as filtered: a cursor of another list, or of other filters, is none of these.
///
/// It is `<kind><row in hex>-<fingerprint in hex>`. The fingerprint finds mistakes; it is no secret, for whoever may read
/// the list may begin it anywhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    kind: char,
    fingerprint: u32,
}

impl Cursor {
    pub(crate) const fn new(kind: char, fingerprint: u32) -> Self {
        Self { kind, fingerprint }
    }

    /// The cursor at a row.
    pub(crate) fn text(self, id: i64) -> String {
        format!("{}{id:x}-{:08x}", self.kind, self.fingerprint)
    }

    /// The row of a cursor.
    pub(crate) fn read(self, text: &str) -> Result<i64, ApiError> {
        let id = text.strip_prefix(self.kind).and_then(|text| text.split_once('-')).and_then(|(id, _)| {
            let id = i64::from_str_radix(id, 16).ok()?;
            // Of the ways to write a number only ours.
            (self.text(id) == text).then_some(id)
        });
        id.ok_or_else(|| ApiError::parameter("cursor", "is none that a page of this list gave, with these filters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_own_list_alone() {
        let cursor = Cursor::new('e', 7);
        for id in [1, i64::MAX] {
            assert_eq!(cursor.read(&cursor.text(id)).ok(), Some(id));
            assert!(Cursor::new('e', 8).read(&cursor.text(id)).is_err());
            assert!(Cursor::new('a', 7).read(&cursor.text(id)).is_err());
        }
        for bad in ["", "e", "e1", "e1-", "e1-7", "e01-00000007", "e+1-00000007", "eA-00000007", "e1-00000007-", "ä-"]
        {
            assert!(cursor.read(bad).is_err(), "{bad}");
        }
    }
}

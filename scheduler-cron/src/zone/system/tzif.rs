//! The binary format of compiled zone data, RFC 9636.

use super::posix_rule::Rule;
use crate::zone::Table;

/// Reads the spans of a file of version 1 to 4; none if it is no such file.
pub(super) fn table(data: &[u8]) -> Option<Table> {
    let mut reader = Reader(data);
    let first = Header::read(&mut reader)?;
    if first.version == 0 {
        let spans = body(&mut reader, &first, 4)?;
        return Table::of_spans(spans);
    }
    reader.take(first.body_length(4)?)?;
    let second = Header::read(&mut reader)?;
    let mut spans = body(&mut reader, &second, 8)?;
    let footer = std::str::from_utf8(reader.0).ok()?.strip_prefix('\n')?.split('\n').next()?;
    if !footer.is_empty() {
        let last = spans.last()?.0;
        spans.extend(Rule::parse(footer)?.changes_after(last));
    }
    Table::of_spans(spans)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }
}

/// The counts of what the body holds.
struct Header {
    version: u8,
    ut_indicators: usize,
    standard_indicators: usize,
    leap_seconds: usize,
    changes: usize,
    types: usize,
    letters: usize,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Option<Header> {
        if reader.take(4)? != b"TZif" {
            return None;
        }
        let version = reader.take(16)?[0];
        Some(Header {
            version,
            ut_indicators: reader.number()?,
            standard_indicators: reader.number()?,
            leap_seconds: reader.number()?,
            changes: reader.number()?,
            types: reader.number()?,
            letters: reader.number()?,
        })
    }

    /// Bytes of the body, whose times have `width` bytes.
    fn body_length(&self, width: usize) -> Option<usize> {
        self.changes
            .checked_mul(width + 1)?
            .checked_add(self.types.checked_mul(6)?)?
            .checked_add(self.letters)?
            .checked_add(self.leap_seconds.checked_mul(width + 4)?)?
            .checked_add(self.standard_indicators)?
            .checked_add(self.ut_indicators)
    }
}

/// From when on which offset holds, the first from the beginning.
fn body(reader: &mut Reader<'_>, header: &Header, width: usize) -> Option<Vec<(i64, i32)>> {
    let mut body = Reader(reader.take(header.body_length(width)?)?);
    let times = body.take(header.changes * width)?;
    let indices = body.take(header.changes)?;
    let types = body.take(header.types * 6)?;
    let offset = |index: usize| -> Option<i32> {
        let bytes = types.get(index * 6..)?.get(..4)?.try_into().ok()?;
        Some(i32::from_be_bytes(bytes)).filter(|offset| offset.abs() <= 26 * 3600)
    };
    let mut spans = vec![(i64::MIN, offset(0)?)];
    for (time, &index) in times.chunks_exact(width).zip(indices) {
        let at = match width {
            4 => i32::from_be_bytes(time.try_into().ok()?).into(),
            _ => i64::from_be_bytes(time.try_into().ok()?),
        };
        spans.push((at, offset(index.into())?));
    }
    Some(spans)
}

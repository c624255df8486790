//! The binary format of compiled zone data, RFC 9636.

use super::abbreviation::Abbreviation;
use super::posix_rule::Rule;
use super::table::{Change, Table};

/// Reads the spans of a file of version 1 to 4; none if it is no such file.
pub(super) fn table(data: &[u8]) -> Option<Table> {
    let Contents { mut listed, rule } = contents(data)?;
    if let Some(rule) = rule {
        let last = listed.last()?.at;
        listed.extend(rule.changes_after(last));
    }
    Table::of_changes(listed)
}

/// The last change of a clock that a file lists, before its rule takes over; none if it lists none or is no such file.
pub(super) fn last_listed(data: &[u8]) -> Option<i64> {
    contents(data)?.listed.last().map(|change| change.at).filter(|&at| at != i64::MIN)
}

struct Contents {
    listed: Vec<Change>,
    rule: Option<Rule>,
}

fn contents(data: &[u8]) -> Option<Contents> {
    let mut reader = Reader(data);
    let first = Header::read(&mut reader)?;
    if first.version == 0 {
        return Some(Contents { listed: body(&mut reader, &first, 4)?, rule: None });
    }
    reader.take(first.body_length(4)?)?;
    let second = Header::read(&mut reader)?;
    let listed = body(&mut reader, &second, 8)?;
    let footer = std::str::from_utf8(reader.0).ok()?.strip_prefix('\n')?.split('\n').next()?;
    let rule = if footer.is_empty() { None } else { Some(Rule::parse(footer)?) };
    Some(Contents { listed, rule })
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
fn body(reader: &mut Reader<'_>, header: &Header, width: usize) -> Option<Vec<Change>> {
    let mut body = Reader(reader.take(header.body_length(width)?)?);
    let times = body.take(header.changes * width)?;
    let indices = body.take(header.changes)?;
    let types = body.take(header.types * 6)?;
    let letters = body.take(header.letters)?;
    let change = |at: i64, index: usize| -> Option<Change> {
        let kind = types.get(index * 6..)?.get(..6)?;
        let offset = i32::from_be_bytes(kind[..4].try_into().ok()?);
        let name = letters.get(usize::from(kind[5])..)?.split(|&byte| byte == 0).next()?;
        (offset.abs() < 24 * 3600).then_some(Change { at, offset, name: Abbreviation::new(name) })
    };
    let mut changes = vec![change(i64::MIN, 0)?];
    for (time, &index) in times.chunks_exact(width).zip(indices) {
        let at = match width {
            4 => i32::from_be_bytes(time.try_into().ok()?).into(),
            _ => i64::from_be_bytes(time.try_into().ok()?),
        };
        changes.push(change(at, index.into())?);
    }
    Some(changes)
}

//! A parsed expression: one bit set a field.

use std::str::FromStr;

use crate::civil::{FIRST_YEAR, LAST_YEAR};
use crate::error::CronError;

/// A cron expression: five fields as POSIX and Vixie cron read them, six with seconds first, seven with the year last.
///
/// It is a plain value of at most 96 bytes that owns no memory. Two expressions are equal if they name the same times by the same rules;
/// it prints in a canonical form that parses to itself.
///
/// ```
/// use scheduler_cron::{CronExpr, parse_zone};
///
/// let expr = CronExpr::parse("30 0 * * *")?;
/// let jakarta = parse_zone("Asia/Jakarta")?;
/// let after = "2025-11-02T12:00:00Z".parse()?;
/// assert_eq!(expr.next_after(after, jakarta), Some("2025-11-02T17:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CronExpr {
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u32,
    /// Bit 1 to bit 31.
    pub(crate) days: u32,
    /// Bit 1 to bit 12.
    pub(crate) months: u16,
    /// Bit 0, Sunday, to bit 6.
    pub(crate) weekdays: u8,
    pub(crate) flags: Flags,
    pub(crate) special: SpecialDays,
    pub(crate) years: Years,
}

/// Days that depend on the month they stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct SpecialDays {
    /// Bit `n` is `L-n`; bit 0 is `L`.
    pub(crate) from_last: u32,
    /// Bit `n` is `nW`; bit 0 is `LW`.
    pub(crate) nearest_weekday: u32,
    /// Bit `n` of item `k` is `n#(k+1)`.
    pub(crate) nth_weekday: [u8; 5],
    /// Bit `n` is `nL`.
    pub(crate) last_weekday: u8,
}

impl SpecialDays {
    pub(crate) const NONE: SpecialDays =
        SpecialDays { from_last: 0, nearest_weekday: 0, nth_weekday: [0; 5], last_weekday: 0 };
}

/// What the text says beside the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// The minute field starts with `*`, or is `*`.
    pub(crate) const MINUTE_STAR: Flags = Flags(1);
    /// The hour field starts with `*`, or is `*`.
    pub(crate) const HOUR_STAR: Flags = Flags(2);
    /// The day of month is not restricted.
    pub(crate) const ANY_DAY: Flags = Flags(4);
    /// The day of week is not restricted.
    pub(crate) const ANY_WEEKDAY: Flags = Flags(8);
    /// Two restricted day fields must both match, as other dialects have it.
    pub(crate) const BOTH_DAYS: Flags = Flags(16);
    /// There are days that depend on the month.
    pub(crate) const SPECIAL: Flags = Flags(32);

    pub(crate) const fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub(crate) fn set(&mut self, flag: Flags, on: bool) {
        if on {
            self.0 |= flag.0;
        } else {
            self.0 &= !flag.0;
        }
    }
}

const YEARS: usize = (LAST_YEAR - FIRST_YEAR + 1) as usize;

/// A set of years, 1970 to 2199. Bytes, because words would cost four bytes of padding in each expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Years([u8; YEARS.div_ceil(8)]);

impl Years {
    pub(crate) const NONE: Years = Years([0; YEARS.div_ceil(8)]);
    pub(crate) const ALL: Years = {
        let mut years = Years([0xff; YEARS.div_ceil(8)]);
        years.0[YEARS / 8] = (1 << (YEARS % 8)) - 1;
        years
    };

    pub(crate) const fn contains(&self, year: u16) -> bool {
        let bit = (year - FIRST_YEAR) as usize;
        self.0[bit / 8] & (1 << (bit % 8)) != 0
    }

    pub(crate) fn insert(&mut self, year: u16) {
        let bit = usize::from(year - FIRST_YEAR);
        self.0[bit / 8] |= 1 << (bit % 8);
    }
}

impl CronExpr {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// Whatever the grammar refuses, with the field, the place and the mend.
    pub fn parse(text: &str) -> Result<CronExpr, CronError> {
        crate::parse::parse(text)
    }

    /// Whether no date of any year matches, as `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        crate::wall::next(self, 0).is_none()
    }

    /// Whether the minute or the hour starts with `*`: such a job keeps an interval, every other a fixed time.
    pub(crate) fn is_interval(&self) -> bool {
        self.flags.has(Flags::MINUTE_STAR) || self.flags.has(Flags::HOUR_STAR)
    }
}

impl FromStr for CronExpr {
    type Err = CronError;

    fn from_str(text: &str) -> Result<CronExpr, CronError> {
        CronExpr::parse(text)
    }
}

impl CronExpr {
    /// Gives expressions of one meaning one form, so that they are equal and print alike.
    pub(crate) fn normalize(&mut self) {
        let (every_day, every_weekday) = (self.days == ALL_DAYS, self.weekdays == ALL_WEEKDAYS);
        let (any_day, any_weekday) = (self.flags.has(Flags::ANY_DAY), self.flags.has(Flags::ANY_WEEKDAY));
        let either = !any_day && !any_weekday && !self.flags.has(Flags::BOTH_DAYS);
        // A full set restricts nothing; beside another field of which either may match, it lifts that one's restriction too.
        if any_day || every_day || either && every_weekday {
            self.flags.set(Flags::ANY_DAY, true);
            self.days = ALL_DAYS;
            (self.special.from_last, self.special.nearest_weekday) = (0, 0);
        }
        if any_weekday || every_weekday || either && every_day {
            self.flags.set(Flags::ANY_WEEKDAY, true);
            self.weekdays = ALL_WEEKDAYS;
            (self.special.nth_weekday, self.special.last_weekday) = ([0; 5], 0);
        }
        if self.flags.has(Flags::ANY_DAY) || self.flags.has(Flags::ANY_WEEKDAY) {
            self.flags.set(Flags::BOTH_DAYS, false);
        }
        self.flags.set(Flags::SPECIAL, self.special != SpecialDays::NONE);
    }
}

pub(crate) const ALL_DAYS: u32 = !1;
pub(crate) const ALL_WEEKDAYS: u8 = 0x7f;

//! The nearest valid word to a mistyped one.

/// Longest word that is compared; a longer one is no typing mistake, and the table below stays on the stack.
const LONGEST: usize = 48;

/// More slips than these are another word, however long it is; and a comparison ends as soon as it has found them.
const MOST_SLIPS: usize = 4;

/// Returns the candidate that `word` is most likely a mistyping of, or `None` where none is near.
///
/// The distance is Damerau's and Levenshtein's (insert, delete, replace, swap of neighbours), upper and lower case being equal. A
/// candidate is near at a distance of at most a third of the word's length and of four, and one is always granted. Of several equally near
/// ones the first wins.
///
/// ```
/// use scheduler_cron::nearest;
///
/// assert_eq!(nearest("timout", ["retries", "timeout", "tz"]), Some("timeout"));
/// assert_eq!(nearest("colour", ["retries", "timeout", "tz"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(word, candidates, (word.len() / 3).clamp(1, MOST_SLIPS))
}

/// The same with so many slips allowed.
pub(crate) fn nearest_within<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    allowed: usize,
) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(allowed + 1, |(distance, _)| distance);
        // Each letter more or less counts one: most candidates need no closer look.
        if word.len().abs_diff(candidate.len()) >= limit {
            continue;
        }
        if let Some(distance) = distance(word.as_bytes(), candidate.as_bytes(), limit) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance, or `None` for words too long to compare and for a distance that reaches the limit.
fn distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut before_last = [limit; LONGEST + 1];
    let mut last: [usize; LONGEST + 1] = std::array::from_fn(|column| column);
    for (i, left) in a.iter().enumerate() {
        // Farther from the diagonal the limit is reached by insertions or deletions alone.
        let band = (i + 1).saturating_sub(limit)..(i + limit).min(b.len());
        let mut row = [limit; LONGEST + 1];
        row[0] = i + 1;
        for (j, right) in band.clone().zip(&b[band.clone()]) {
            let replaced = last[j] + usize::from(!left.eq_ignore_ascii_case(right));
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            let swapped =
                i > 0 && j > 0 && left.eq_ignore_ascii_case(&b[j - 1]) && a[i - 1].eq_ignore_ascii_case(right);
            if swapped {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = last;
        last = row;
        // A swap spans two rows: only where both have left the limit behind can no row come back.
        let beyond = |row: &[usize]| row[band.start..=band.end].iter().all(|&distance| distance >= limit);
        if beyond(&last) && beyond(&before_last) {
            return None;
        }
    }
    Some(last[b.len()]).filter(|&distance| distance < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_slip_counts_one() {
        for slip in ["timeut", "timeouut", "timeoot", "tiemout", "TIMEOUT"] {
            assert_eq!(nearest(slip, ["retries", "timeout"]), Some("timeout"), "{slip}");
        }
        assert_eq!(distance(b"ab", b"ba", 9), Some(1));
        assert_eq!(distance(b"", b"abc", 9), Some(3));
        assert_eq!(distance(b"abc", b"", 9), Some(3));
    }

    #[test]
    fn a_limit_changes_no_distance_below_it() {
        let names: Vec<_> = chrono_tz::TZ_VARIANTS.iter().step_by(9).map(|zone| zone.name().as_bytes()).collect();
        for (a, b) in names.iter().flat_map(|a| names.iter().map(move |b| (a, b))) {
            let whole = distance(a, b, 99).expect("shorter than a hundred");
            for limit in 1..12 {
                let near = (a.len().abs_diff(b.len()) < limit).then(|| distance(a, b, limit)).flatten();
                assert_eq!(near, Some(whole).filter(|&whole| whole < limit));
            }
        }
    }

    #[test]
    fn a_nearer_candidate_beats_an_earlier_one() {
        assert_eq!(nearest("overlaps", ["overlay", "overlap"]), Some("overlap"));
    }

    #[test]
    fn a_long_word_with_many_slips_is_another_word() {
        assert_eq!(
            nearest("America/Argentina/Buones_Iares", ["America/Argentina/Buenos_Aires"]),
            Some("America/Argentina/Buenos_Aires")
        );
        assert_eq!(nearest("America/Argentina/Bxxxxx_Aires", ["America/Argentina/Buenos_Aires"]), None);
    }

    #[test]
    fn a_word_of_any_length_is_answered() {
        let long = "x".repeat(1 << 20);
        assert_eq!(nearest(&long, ["timeout"]), None);
    }
}

//! Input of any length and shape is answered within a millisecond and four kilobytes.

use std::time::Duration;

use scheduler_cron::{CronExpr, parse_duration, parse_zone};

fn hostile() -> Vec<String> {
    let mut inputs: Vec<String> = [
        "1--100000000",
        ", * * * *",
        "*/*/*/*/* * * * *",
        "1/1/1/1 * * * *",
        "٣ * * * *",
        "１ * * * *",
        "0 0 * * ＭＯＮ",
        "\0 * * * *",
        "* * * * *\0",
        "\u{202e}* * * * *",
        "0 0 1\u{a0}* *",
        "-1 * * * *",
        "1- * * * *",
        "-",
        "@",
        "@@@@",
        "* * * * * * * *",
        "0 0 31 2,4,6,9,11 *",
        "99999999999999999999999999999999 * * * *",
        "*/99999999999999999999999 * * * *",
        "0 0 L-99999999 * *",
        "0 0 0W * *",
        "0 0 * * 1#0",
        "0 0 * * #1",
        "0 0 * * 1#",
        "0 0 L- * *",
        "0 0 W * *",
        "0 0 * * L",
        "0 0 29-L * *",
        "0 0 0 1 1 * 1970-2199/0",
        "0 0 0 31 2 * 1970-2199",
        "🕐 🕑 🕒 🕓 🕔",
        "* * * * é",
    ]
    .map(str::to_owned)
    .into();
    for (piece, count) in [
        (",", 10 << 20),
        ("*", 10 << 20),
        (" ", 10 << 20),
        ("* ", 1 << 20),
        ("é", 1 << 20),
        ("1-2/3,", 1 << 20),
        ("\0", 1 << 20),
        ("@", 1 << 20),
    ] {
        inputs.push(piece.repeat(count));
    }
    // The longest that are read at all.
    for piece in [",", "*,", "0-59/1,", "1-", "/", "é", "\u{1f550}", "\0", "SUN#5,", "31W,", "x"] {
        for rest in ["", " * * * *"] {
            inputs.push(format!("{}{rest}", piece.repeat((256 - rest.len()) / piece.len())));
            inputs.push(format!("0 0 * * {}", piece.repeat(248 / piece.len())));
            inputs.push(format!("0 0 {} * *", piece.repeat(248 / piece.len())));
        }
    }
    inputs
}

/// The shortest of several tries: the machine may be busy, the code may not.
fn fastest(mut run: impl FnMut()) -> Duration {
    let mut try_once = || {
        #[expect(
            clippy::disallowed_methods,
            reason = "the time an answer takes is measured, nothing is scheduled by it"
        )]
        let started = std::time::Instant::now();
        run();
        started.elapsed()
    };
    (0..20).map(|_| try_once()).min().expect("twenty tries")
}

#[test]
fn no_input_takes_a_millisecond_or_four_kilobytes() {
    for input in hostile() {
        let shown: String = input.chars().take(40).collect();
        let parse = || CronExpr::parse(&input).map(|expr| expr.never_fires()).map_err(|error| error.excerpt());
        let memory = allocation_counter::measure(|| drop(parse()));
        assert!(memory.bytes_max <= 4096, "{} bytes for `{shown}`", memory.bytes_max);
        let took = fastest(|| drop(parse()));
        assert!(took < Duration::from_millis(1), "{took:?} for `{shown}`");
    }
}

#[test]
fn a_refusal_never_shows_more_than_256_bytes() {
    for input in hostile() {
        let Err(error) = CronExpr::parse(&input) else { continue };
        let shown: String = input.chars().take(40).collect();
        assert!(error.expression().len() <= 256 && error.value().len() <= 256, "{shown}");
        assert!(error.excerpt().len() <= 3 * 256 + 2, "{shown}");
        assert!(!error.to_string().contains(char::is_control), "{shown}");
        assert!(error.to_string().len() <= 1024, "{}: {error}", error.to_string().len());
        assert!(error.span().end <= error.expression().len());
        assert!(
            error.expression().is_char_boundary(error.span().start)
                && error.expression().is_char_boundary(error.span().end)
        );
    }
}

#[test]
fn zones_and_durations_of_any_length_are_answered() {
    for input in hostile() {
        let memory =
            allocation_counter::measure(|| assert!(parse_zone(&input).is_err() & parse_duration(&input).is_err()));
        assert!(memory.bytes_max <= 4096, "{} bytes", memory.bytes_max);
    }
}

//! Pictures of figures beside each other, as SVG.

use std::fmt;

/// Heights and widths in pixels.
const ROW: usize = 26;
const TOP: usize = 44;
const LABELS: usize = 330;
const BARS: usize = 420;
const VALUES: usize = 110;

/// A bar a figure, from the left; the longest takes all the room.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    title: String,
    unit: &'static str,
    bars: Vec<Bar>,
}

#[derive(Debug, Clone)]
struct Bar {
    label: String,
    value: f64,
    is_ours: bool,
}

impl Bars {
    pub(crate) fn new(title: &str, unit: &'static str) -> Self {
        Self { title: title.to_owned(), unit, bars: Vec::new() }
    }

    /// Adds a bar; what is not ours has another colour. What was not measured has none.
    pub(crate) fn bar(&mut self, label: impl Into<String>, value: Option<f64>, is_ours: bool) {
        self.bars.extend(value.map(|value| Bar { label: label.into(), value, is_ours }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }
}

impl fmt::Display for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (LABELS + BARS + VALUES, TOP + ROW * self.bars.len() + 10);
        writeln!(
            f,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="13">"##
        )?;
        writeln!(f, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##)?;
        writeln!(f, r##"<text x="12" y="26" font-size="16" fill="#111827">{}</text>"##, escaped(&self.title))?;
        let longest = self.bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        for (nth, Bar { label, value, is_ours }) in self.bars.iter().enumerate() {
            let top = TOP + nth * ROW;
            let length = (value / longest * BARS as f64).max(1.0);
            let colour = if *is_ours { "#2563eb" } else { "#9ca3af" };
            let text = top + 14;
            writeln!(
                f,
                r##"<text x="{}" y="{text}" text-anchor="end" fill="#374151">{}</text>"##,
                LABELS - 10,
                escaped(label)
            )?;
            writeln!(f, r##"<rect x="{LABELS}" y="{top}" width="{length:.1}" height="18" fill="{colour}"/>"##)?;
            let end = LABELS as f64 + length + 6.0;
            writeln!(f, r##"<text x="{end:.1}" y="{text}" fill="#111827">{value:.0} {}</text>"##, self.unit)?;
        }
        writeln!(f, "</svg>")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

//! The line that a finding is about, and what of it.

/// A line is shown with at most so many characters before what it is about, and behind it.
const AROUND: usize = 60;

/// No more than so many characters are underlined.
const MAX_WIDTH: usize = 80;

/// A part of a line, with what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, or what is near of a long one. Tabs are one space, so that columns stay columns.
    pub text: String,
    /// How many characters of it stand before what is meant.
    pub before: usize,
    /// How many characters are meant, from 1.
    pub width: usize,
}

impl Excerpt {
    /// Of a line, around a column in characters, from 1.
    pub(super) fn of(line: &str, column: u32) -> Self {
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        let start = column.saturating_sub(1).min(line.chars().count());
        // As much of a line of megabytes as is looked at.
        let first = start.saturating_sub(AROUND);
        let most = start
            .saturating_sub(first)
            .saturating_add(MAX_WIDTH)
            .saturating_add(AROUND);
        let mut shown: Vec<char> = line
            .chars()
            .skip(first)
            .take(most.saturating_add(1))
            .map(|c| match c {
                '\t' => ' ',
                c if c.is_control() => '\u{fffd}',
                c => c,
            })
            .collect();
        let is_cut = shown.len() > most;
        shown.truncate(most);
        let mut before = start.saturating_sub(first).min(shown.len());
        let width = width(shown.get(before..).unwrap_or_default());
        let kept = before.saturating_add(width).saturating_add(AROUND);
        let is_cut = is_cut || shown.len() > kept;
        shown.truncate(kept);
        let mut text: String = shown.iter().collect();
        if is_cut {
            text.push('…');
        }
        if first > 0 {
            text.insert(0, '…');
            before = before.saturating_add(1);
        }
        Self {
            text: text.trim_end().to_owned(),
            before,
            width,
        }
    }

    /// The carets below it.
    pub fn carets(&self) -> String {
        let mut line = " ".repeat(self.before);
        line.push_str(&"^".repeat(self.width));
        line
    }
}

/// How far what begins here goes: a quoted text to its quote, a word to its end.
fn width(rest: &[char]) -> usize {
    let quoted = |quote: char| {
        let mut escaped = false;
        let end = rest.iter().skip(1).position(|c| {
            let ends = !escaped && *c == quote;
            escaped = !escaped && quote == '"' && *c == '\\';
            ends
        });
        end.map(|end| end.saturating_add(2))
    };
    let word = || {
        let ends = |(at, c): (usize, &char)| {
            let next = rest.get(at.saturating_add(1));
            // A colon ends a key; in a URL it does not.
            let ends_a_key = || *c == ':' && next.is_none_or(|next| next.is_whitespace());
            (c.is_whitespace() || ",[]{}\"'".contains(*c) || ends_a_key()).then_some(at)
        };
        rest.iter().enumerate().find_map(ends).unwrap_or(rest.len())
    };
    let width = match rest.first() {
        Some(quote @ ('"' | '\'')) => quoted(*quote).unwrap_or(rest.len()),
        Some(_) => word(),
        None => 1,
    };
    width.clamp(1, MAX_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_underlined_to_its_end() {
        for (line, column, carets) in [
            (r#"  "url": "http://a b","#, 10, r#"         ^^^^^^^^^^^^"#),
            (r#"  "a\"b": 1"#, 3, "  ^^^^^^"),
            ("  ttl: 15m # long", 8, "       ^^^"),
            ("  'it''s': x", 3, "  ^^^^"),
            (r#"  "open"#, 3, "  ^^^^^"),
            ("[1,,2]", 4, "   ^"),
            ("to: https://a.b/c?d:e", 5, "    ^^^^^^^^^^^^^^^^^"),
            ("a:", 1, "^"),
            ("\tkey: 1", 2, " ^^^"),
            ("short", 90, "     ^"),
            ("", 1, "^"),
        ] {
            assert_eq!(Excerpt::of(line, column).carets(), carets, "{line}");
        }
    }

    #[test]
    fn of_a_long_line_what_is_near_is_shown() {
        let line = format!("{}\"url\"{}", "x".repeat(1_000_000), "y".repeat(1_000_000));
        let excerpt = Excerpt::of(&line, 1_000_001);
        let expected = format!("…{}\"url\"{}…", "x".repeat(AROUND), "y".repeat(AROUND));
        assert_eq!(excerpt.text, expected);
        assert_eq!((excerpt.before, excerpt.width), (61, 5));
    }

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        let excerpt = Excerpt::of("a\u{1b}[31m: \u{7}", 1);
        assert_eq!(excerpt.text, "a\u{fffd}[31m: \u{fffd}");
    }
}

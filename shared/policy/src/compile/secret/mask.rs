//! What is shown of a line that has credentials in it.

use std::borrow::Cow;
use std::ops::Range;

use super::super::node::{Node, Span, Style, Value};
use super::text;

/// What stands in place of a credential, whatever its length.
const MASK: &str = "***";

/// A value that is not to be shown, and where it begins.
#[derive(Debug)]
pub(in super::super) struct Hidden {
    pub(in super::super) span: Span,
    style: Style,
    value: String,
}

impl Hidden {
    /// Of a text or number.
    pub(in super::super) fn of(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(value) | Value::Number(value) => Some(Self {
                span: node.span,
                style: node.style,
                value: value.clone(),
            }),
            _ => None,
        }
    }

    /// Takes it out of a message.
    pub(in super::super) fn mask_in(&self, message: &mut String) {
        // In a shorter one there is nothing to tell a credential by.
        if self.value.len() > 2 && message.contains(&self.value) {
            *message = message.replace(&self.value, MASK);
        }
    }

    /// The parts of lines that it takes, in characters: from the file's lines, each with its index from 0.
    pub(in super::super) fn ranges(&self, lines: &[&str]) -> Vec<(usize, Range<usize>)> {
        let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
        let (Some(line), Some(column)) = (index(self.span.line), index(self.span.column)) else {
            return Vec::new();
        };
        let from_here = lines.iter().enumerate().skip(line);
        match self.style {
            Style::Literal | Style::Folded => {
                // The place of a block is that of its indicator or that of its first line.
                let begins = lines
                    .get(line)
                    .is_some_and(|line| is_indicator(line, column));
                let first = line.saturating_add(usize::from(begins));
                let width = lines
                    .iter()
                    .skip(first)
                    .find(|line| !line.trim().is_empty())
                    .map_or(1, |line| indentation(line).max(1));
                from_here
                    .skip(usize::from(begins))
                    .take_while(|(_, line)| line.trim().is_empty() || indentation(line) >= width)
                    .map(|(at, line)| (at, indentation(line)..line.chars().count()))
                    .collect()
            }
            Style::SingleQuoted | Style::DoubleQuoted => quoted(from_here, column, self.style),
            Style::Plain | Style::Switch => plain(from_here, column, &self.value),
        }
    }
}

/// Whether what stands at a column, from 0, begins a block: `|`, `>-`, perhaps with a comment.
fn is_indicator(line: &str, column: usize) -> bool {
    let rest: String = line.chars().skip(column).collect();
    let Some(rest) = rest.strip_prefix(['|', '>']) else {
        return false;
    };
    let rest = rest
        .trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c))
        .trim_start();
    rest.is_empty() || rest.starts_with('#')
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}

/// From behind a quote to before the one that closes it.
fn quoted<'l>(
    lines: impl Iterator<Item = (usize, &'l &'l str)>,
    column: usize,
    style: Style,
) -> Vec<(usize, Range<usize>)> {
    let quote = if style == Style::SingleQuoted {
        '\''
    } else {
        '"'
    };
    let mut ranges = Vec::new();
    let mut start = column.saturating_add(1);
    for (at, line) in lines {
        let mut escaped = false;
        let mut end = start;
        let mut rest = line.chars().skip(start).peekable();
        while let Some(c) = rest.next() {
            if c == quote && !escaped {
                if style == Style::SingleQuoted && rest.next_if_eq(&quote).is_some() {
                    end = end.saturating_add(2);
                    continue;
                }
                ranges.push((at, start..end));
                return ranges;
            }
            escaped = c == '\\' && !escaped && style == Style::DoubleQuoted;
            end = end.saturating_add(1);
        }
        ranges.push((at, start..end));
        start = 0;
    }
    ranges
}

/// As far as the value's characters go; a text without quotes has no escapes, but may go on in the next line.
fn plain<'l>(
    lines: impl Iterator<Item = (usize, &'l &'l str)>,
    column: usize,
    value: &str,
) -> Vec<(usize, Range<usize>)> {
    let mut left = value.chars().filter(|c| !c.is_whitespace()).count();
    let mut ranges = Vec::new();
    let mut start = column;
    for (at, line) in lines {
        let mut end = start;
        for c in line.chars().skip(start) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(usize::from(!c.is_whitespace()));
            end = end.saturating_add(1);
        }
        ranges.push((at, start..end));
        if left == 0 {
            break;
        }
        start = 0;
    }
    ranges
}

/// A line is looked at with so many characters on both sides of what a finding is about: an excerpt shows fewer.
const AROUND: usize = 1_000;

/// The part of a line, in characters from 0, that an excerpt around a column, from 1, is made of.
pub(in super::super) fn shown(column: u32) -> Range<usize> {
    let at = usize::try_from(column).unwrap_or(usize::MAX);
    at.saturating_sub(AROUND)..at.saturating_add(AROUND)
}

/// A line without what is not to be shown, and where a column, from 1, is in it: `known` are parts that are hidden, in
/// characters; what looks like a credential is, too.
pub(in super::super) fn mask<'l>(
    line: &'l str,
    known: &[Range<usize>],
    column: u32,
) -> (Cow<'l, str>, u32) {
    let part = shown(column);
    let cut = |at: usize| line.char_indices().nth(at).map_or(line.len(), |(at, _)| at);
    if line.len() > AROUND.saturating_mul(2) && part.start > 0 || line.len() > part.end {
        // What is left of a credential that begins before looks like the end of a word.
        let near = line.get(cut(part.start)..cut(part.end)).unwrap_or_default();
        let head: usize = near
            .chars()
            .take_while(|c| part.start > 0 && !c.is_whitespace() && !"\"'".contains(*c))
            .count();
        let mut own: Vec<Range<usize>> = known
            .iter()
            .map(|known| {
                let moved = |at: usize| at.saturating_sub(part.start);
                moved(known.start)..moved(known.end)
            })
            .collect();
        own.push(0..head);
        let column = column.saturating_sub(u32::try_from(part.start).unwrap_or(u32::MAX));
        let (shown, column) = masked(near, &own, column);
        return (Cow::Owned(shown.into_owned()), column);
    }
    masked(line, known, column)
}

fn masked<'l>(line: &'l str, known: &[Range<usize>], column: u32) -> (Cow<'l, str>, u32) {
    let by_form = text::hidden(line);
    if known.is_empty() && by_form.is_empty() {
        return (Cow::Borrowed(line), column);
    }
    let mut is_hidden: Vec<bool> = line
        .char_indices()
        .map(|(at, _)| by_form.iter().any(|range| range.contains(&at)))
        .collect();
    for range in known {
        for hidden in is_hidden
            .iter_mut()
            .skip(range.start)
            .take(range.end.saturating_sub(range.start))
        {
            *hidden = true;
        }
    }
    let wanted = usize::try_from(column)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let mut shown = String::with_capacity(line.len());
    let mut length = 0_usize;
    let mut at_column = None;
    let mut within = false;
    for (number, (c, hidden)) in line.chars().zip(is_hidden).enumerate() {
        if hidden && !within {
            shown.push_str(MASK);
            length = length.saturating_add(MASK.len());
        }
        within = hidden;
        if number == wanted {
            let begins = if hidden {
                length.saturating_sub(MASK.len())
            } else {
                length
            };
            at_column = Some(begins);
        }
        if !hidden {
            shown.push(c);
            length = length.saturating_add(1);
        }
    }
    let column = at_column.map_or(column, |column| {
        u32::try_from(column.saturating_add(1)).unwrap_or(u32::MAX)
    });
    (Cow::Owned(shown), column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, style: Style, at: (u32, u32), value: &str) -> String {
        let hidden = Hidden {
            span: Span {
                file: 0,
                line: at.0,
                column: at.1,
            },
            style,
            value: value.to_owned(),
        };
        let lines: Vec<&str> = text.lines().collect();
        let ranges = hidden.ranges(&lines);
        let shown = lines.iter().enumerate().map(|(number, line)| {
            let own: Vec<Range<usize>> = ranges
                .iter()
                .filter(|(at, _)| *at == number)
                .map(|(_, range)| range.clone())
                .collect();
            mask(line, &own, 1).0.into_owned()
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_hidden_value_is_hidden_whatever_it_was_written_as() {
        for (text, style, at, value, expected) in [
            (
                "x: 'it''s' # y",
                Style::SingleQuoted,
                (1, 4),
                "it's",
                "x: '***' # y",
            ),
            (
                r#"{"x":"a\"b","y":1}"#,
                Style::DoubleQuoted,
                (1, 6),
                "a\"b",
                r#"{"x":"***","y":1}"#,
            ),
            (
                r#"{"x":"\u0061b\\","y":1}"#,
                Style::DoubleQuoted,
                (1, 6),
                "ab\\",
                r#"{"x":"***","y":1}"#,
            ),
            ("x: a b # y", Style::Plain, (1, 4), "a b", "x: *** # y"),
            (
                "x: a\n  b\ny: 1",
                Style::Plain,
                (1, 4),
                "a b",
                "x: ***\n***\ny: 1",
            ),
            (
                "x: |\n  a\n\n  b\ny: 1",
                Style::Literal,
                (1, 4),
                "a\n\nb\n",
                "x: |\n  ***\n\n  ***\ny: 1",
            ),
            (
                "x: |\n  a|\n  b\ny: 1",
                Style::Literal,
                (2, 3),
                "a|\nb\n",
                "x: |\n  ***\n  ***\ny: 1",
            ),
            (
                "x: >-\n  a\n  b\ny: 1",
                Style::Folded,
                (1, 4),
                "a b",
                "x: >-\n  ***\n  ***\ny: 1",
            ),
            (
                "x: \"a\n  b\"\ny: 1",
                Style::DoubleQuoted,
                (1, 4),
                "a b",
                "x: \"***\n***\"\ny: 1",
            ),
        ] {
            assert_eq!(shown(text, style, at, value), expected);
        }
    }

    #[test]
    fn a_column_stays_where_it_was() {
        let line = r#"{"a":"secret-value","url":1}"#;
        let known = 6..18;
        let at = |column| mask(line, std::slice::from_ref(&known), column);
        assert_eq!(
            at(21),
            (Cow::Owned(r#"{"a":"***","url":1}"#.to_owned()), 12)
        );
        assert_eq!(at(6).1, 6, "the quote before it");
        assert_eq!(at(10).1, 7, "inside of it");
        assert_eq!(at(2).1, 2);
    }
}

//! Places in a long text, found without reading all that stands before them.

/// A line has a mark at its beginning and one for so many characters.
const APART: usize = 512;

/// Where lines begin, and places within long ones.
#[derive(Debug)]
pub(super) struct Marks(Vec<Mark>);

#[derive(Debug)]
struct Mark {
    /// The line and the column in characters, both from 0.
    place: (usize, usize),
    /// In bytes from the beginning of the text.
    offset: usize,
}

impl Marks {
    pub(super) fn of(text: &str) -> Self {
        let mut marks = Vec::new();
        let (mut line, mut column) = (0_usize, 0_usize);
        for (offset, c) in text.char_indices() {
            if column.is_multiple_of(APART) {
                let place = (line, column);
                marks.push(Mark { place, offset });
            }
            column = column.saturating_add(1);
            if c == '\n' {
                (line, column) = (line.saturating_add(1), 0);
            }
        }
        Self(marks)
    }

    /// The text from a line and a column in characters on, both from 0; `None` where the line is shorter.
    pub(super) fn from<'t>(&self, text: &'t str, line: usize, column: usize) -> Option<&'t str> {
        let behind = self.0.partition_point(|mark| mark.place <= (line, column));
        let mark = self.0.get(behind.checked_sub(1)?)?;
        if mark.place.0 != line {
            return None;
        }
        let rest = text.get(mark.offset..)?;
        let missing = column.saturating_sub(mark.place.1);
        let mut ends = rest.char_indices();
        for _ in 0..missing {
            if ends.next()?.1 == '\n' {
                return None;
            }
        }
        rest.get(ends.offset()..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_as_by_counting() {
        let long = "é".repeat(3 * APART);
        let text = format!("ab\n\n{long}x\r\nlast");
        let marks = Marks::of(&text);
        for (line, content) in text.lines().enumerate() {
            let length = content.chars().count();
            for column in [0, 1, 2, APART - 1, APART, APART + 1, length] {
                let expected: Option<String> =
                    (column <= length).then(|| content.chars().skip(column).collect());
                let found = marks.from(&text, line, column);
                let found = found.map(|rest| rest.lines().next().unwrap_or_default().to_owned());
                // Behind the last character of the text there is no mark that says so.
                assert_eq!(found, expected, "{line}:{column}");
            }
        }
        assert_eq!(marks.from(&text, 4, 0), None);
        assert_eq!(Marks::of("").from("", 0, 0), None);
    }
}

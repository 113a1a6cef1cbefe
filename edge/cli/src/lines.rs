//! The lines of what a gateway prints, of bounded length.

use std::io::{self, BufRead, Read as _};

/// A longer line, in bytes, is no decision's: it is passed on in pieces and not looked into.
pub(crate) const LONGEST: usize = 1 << 20;

/// Reads lines.
pub(crate) struct Lines<R> {
    from: R,
    /// Whether the last piece had no end, so that the next one is of the same line.
    within: bool,
    piece: Vec<u8>,
}

/// What was read, with its line end.
pub(crate) enum Piece<'p> {
    /// A line. The last one may have no end.
    Line(&'p [u8]),
    /// A part of a line that is too long.
    Part(&'p [u8]),
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self {
            from,
            within: false,
            piece: Vec::new(),
        }
    }

    /// Reads on; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.piece.clear();
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let mut limited = self.from.by_ref().take(most);
        if limited.read_until(b'\n', &mut self.piece)? == 0 {
            return Ok(None);
        }
        let ends = self.piece.ends_with(b"\n");
        let is_part = self.within || (!ends && self.piece.len() >= LONGEST);
        self.within = is_part && !ends;
        Ok(Some(if is_part {
            Piece::Part(&self.piece)
        } else {
            Piece::Line(&self.piece)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_too_long_come_in_parts_and_the_next_is_whole() {
        let long = "x".repeat(LONGEST * 2 + 5);
        let whole = "y".repeat(LONGEST - 1);
        let text = format!("a\n\n{long}\nb\r\n{whole}\nend");
        let mut lines = Lines::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(piece) = lines.next().unwrap() {
            found.push(match piece {
                Piece::Line(line) => (true, line.len()),
                Piece::Part(part) => (false, part.len()),
            });
        }
        let expected = [
            (true, 2),
            (true, 1),
            (false, LONGEST),
            (false, LONGEST),
            (false, 6),
            (true, 3),
            (true, LONGEST),
            (true, 3),
        ];
        assert_eq!(found, expected);
    }
}

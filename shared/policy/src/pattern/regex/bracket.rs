//! Classes in brackets: `[a-z]`, `[^/]`, `[[:alpha:]_]`, `[a-z-[aeiou]]`.

use super::super::charset::CharSet;
use super::super::syntax::PatternError;
use super::MAX_DEPTH;
use super::cursor::Cursor;

impl Cursor<'_> {
    /// The set that `[...]` means; the opening bracket, at `offset`, is already read.
    pub(super) fn class(
        &mut self,
        offset: usize,
        fold: bool,
        depth: usize,
    ) -> Result<CharSet, PatternError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("classes are nested more than {MAX_DEPTH} deep")));
        }
        let negated = self.eat("^");
        let mut set = CharSet::default();
        let mut removed = None;
        let mut first = true;
        loop {
            let at = self.offset();
            let Some(c) = self.next() else {
                return Err(PatternError::new(
                    offset,
                    "`[` is never closed; add `]`, or write \\[ for a literal bracket",
                ));
            };
            if c == ']' && !first {
                break;
            }
            if c == '-' && !first && self.peek() == Some('[') {
                self.next();
                removed = Some(self.class(at, fold, depth.saturating_add(1))?);
                if self.peek() != Some(']') {
                    return Err(self
                        .error("a subtraction must stand last in its class, as in [a-z-[aeiou]]"));
                }
                continue;
            }
            first = false;
            let Some(low) = self.class_item(c, at, &mut set)? else {
                continue;
            };
            let range = self
                .rest()
                .strip_prefix('-')
                .filter(|high| !high.is_empty() && !high.starts_with([']', '[']));
            let Some(high) = range else {
                set.add(low, low);
                continue;
            };
            self.skip_to(high);
            let at = self.offset();
            let high = match self.next() {
                Some(c) => self.class_item(c, at, &mut set)?,
                None => None,
            };
            match high {
                Some(high) if low <= high => set.add(low, high),
                Some(_) => {
                    return Err(PatternError::new(
                        at,
                        "the range is reversed; the smaller character comes first",
                    ));
                }
                None => {
                    return Err(PatternError::new(
                        at,
                        "a range ends in one character; write \\- for a literal `-`",
                    ));
                }
            }
        }
        let set = if fold { set.fold() } else { set };
        let set = if negated { set.complement() } else { set };
        Ok(match removed {
            Some(removed) => set.without(&removed),
            None => set,
        })
    }

    /// One character of a class, or `None` if it was a whole set, which is then added.
    fn class_item(
        &mut self,
        c: char,
        offset: usize,
        set: &mut CharSet,
    ) -> Result<Option<char>, PatternError> {
        match c {
            '[' if self.peek() == Some(':') => {
                let Some((name, rest)) =
                    self.rest().get(1..).and_then(|rest| rest.split_once(":]"))
                else {
                    return Ok(Some(c));
                };
                let (negated, name) = match name.strip_prefix('^') {
                    Some(name) => (true, name),
                    None => (false, name),
                };
                let Some(named) = CharSet::posix(name) else {
                    return Err(PatternError::new(
                        offset,
                        "unknown class name; allowed are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, \
                         punct, space, upper, word and xdigit",
                    ));
                };
                set.add_all(&if negated { named.complement() } else { named });
                self.skip_to(rest);
                Ok(None)
            }
            '\\' => {
                if let Some(named) = self.peek().and_then(CharSet::perl) {
                    self.next();
                    set.add_all(&named);
                    return Ok(None);
                }
                if let Some(letter) = self.peek().filter(|c| matches!(c, 'p' | 'P')) {
                    self.next();
                    set.add_all(&self.property(letter == 'P', offset)?);
                    return Ok(None);
                }
                self.character_escape(offset).map(Some)
            }
            c => Ok(Some(c)),
        }
    }
}

//! Classes in brackets: `[a-z]`, `[^/]`, `[[:alpha:]_]`, `[a-z-[aeiou]]`.

use super::super::charset::CharSet;
use super::super::syntax::PatternError;
use super::MAX_DEPTH;
use super::cursor::Cursor;

/// The named sets of a class so far.
#[derive(Default)]
struct Kinds {
    /// The engine asks them in order, and the first negated one decides: in `[\W\d]` it never gets to the digits.
    decided: bool,
}

impl Kinds {
    fn add(&mut self, named: &CharSet, negated: bool, strict: bool, set: &mut CharSet) {
        if !(strict && self.decided) {
            set.add_all(named);
        }
        self.decided |= negated;
    }
}

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
        let mut kinds = Kinds::default();
        loop {
            let at = self.offset();
            let Some(c) = self.next() else {
                return Err(PatternError::new(
                    offset,
                    "`[` is never closed; add `]`, or write \\[ for a literal bracket",
                )
                .original("unterminated [] set"));
            };
            if c == ']' && !first {
                break;
            }
            if c == '-' && !first && self.peek() == Some('[') {
                self.next();
                removed = Some(self.class(at, fold, depth.saturating_add(1))?);
                if self.peek() != Some(']') {
                    return Err(self
                        .error("a subtraction must stand last in its class, as in [a-z-[aeiou]]")
                        .original("a subtraction must be the last element in a character class"));
                }
                continue;
            }
            first = false;
            let Some(low) = self.class_item(c, at, &mut set, &mut kinds)? else {
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
            let letter = high.chars().nth(1);
            let high = match self.next() {
                Some(c) => self.class_item(c, at, &mut set, &mut kinds)?,
                None => None,
            };
            match high {
                Some(high) if low <= high => set.add(low, high),
                Some(_) => {
                    return Err(PatternError::new(
                        at,
                        "the range is reversed; the smaller character comes first",
                    )
                    .original("[x-y] range in reverse order"));
                }
                None => {
                    return Err(PatternError::new(
                        at,
                        "a range ends in one character; write \\- for a literal `-`",
                    )
                    .original(format!(
                        "cannot include class \\{} in character range",
                        letter.map_or(0, u32::from)
                    )));
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
        kinds: &mut Kinds,
    ) -> Result<Option<char>, PatternError> {
        match c {
            '[' if self.peek() == Some(':') => {
                let rest = self.rest().get(1..).unwrap_or_default();
                let (negated, rest) = match rest.strip_prefix('^') {
                    Some(name) => (true, name),
                    None => (false, rest),
                };
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let (name, rest) = rest
                    .split_at_checked(end.unwrap_or(rest.len()))
                    .unwrap_or_default();
                let Some(named) = CharSet::posix(name) else {
                    return Err(PatternError::new(
                        offset,
                        "unknown class name; allowed are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, \
                         punct, space, upper, word and xdigit",
                    )
                    .original("invalid character class range"));
                };
                if self.strict && name == "digit" {
                    let letter = if negated { 'D' } else { 'd' };
                    let named = CharSet::perl(letter, true).unwrap_or_default();
                    kinds.add(&named, negated, self.strict, set);
                } else {
                    set.add_all(&if negated { named.complement() } else { named });
                }
                match rest.strip_prefix(":]") {
                    Some(rest) => {
                        self.skip_to(rest);
                        Ok(None)
                    }
                    // The engine keeps the set and reads on behind the bracket, which then means itself.
                    None => Ok(Some(c)),
                }
            }
            '\\' => {
                if let Some(letter) = self.peek()
                    && let Some(named) = CharSet::perl(letter, self.strict)
                {
                    self.next();
                    kinds.add(&named, letter.is_ascii_uppercase(), self.strict, set);
                    return Ok(None);
                }
                if let Some(letter) = self.peek().filter(|c| matches!(c, 'p' | 'P')) {
                    self.next();
                    let named = self.property(letter == 'P', offset)?;
                    kinds.add(&named, letter == 'P', self.strict, set);
                    return Ok(None);
                }
                self.character_escape(offset).map(Some)
            }
            c => Ok(Some(c)),
        }
    }
}

//! Reads a path.

use super::PathError;
use super::expression::{Expression, Step};
use super::query::{Likeness, Operator, Query, Test};

/// How deep queries and collected parts may be nested.
const MAX_DEPTH: usize = 32;

/// How long a path may be, in bytes.
const MAX_LENGTH: usize = 4096;

/// What GJSON calls a modifier. Any other name after `@` is a plain key.
const MODIFIERS: [&str; 13] = [
    "pretty", "ugly", "reverse", "this", "flatten", "join", "valid", "keys", "values", "tostr",
    "fromstr", "group", "dig",
];

pub(super) fn parse(path: &str) -> Result<Expression, PathError> {
    if path.is_empty() {
        return Err(error(
            0,
            "the path is empty; write @this for the whole document",
        ));
    }
    if path.len() > MAX_LENGTH {
        return Err(error(MAX_LENGTH, "the path is longer than 4096 bytes"));
    }
    let mut reader = Reader {
        rest: path,
        end: path.len(),
    };
    reader.expression(0)
}

fn error(offset: usize, message: impl Into<String>) -> PathError {
    PathError {
        offset,
        message: message.into(),
    }
}

struct Reader<'p> {
    rest: &'p str,
    /// Where the text ends in the path, in bytes.
    end: usize,
}

impl<'p> Reader<'p> {
    fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads what is taken from each of several elements. It ends at the bar that belongs to the path around it.
    fn part(&mut self, depth: usize) -> Result<Expression, PathError> {
        let (part, rest) = self
            .rest
            .split_at_checked(end_of_part(self.rest))
            .unwrap_or((self.rest, ""));
        let mut reader = Reader {
            rest: part,
            end: self.end.saturating_sub(rest.len()),
        };
        let expression = reader.expression(depth)?;
        self.rest = match reader.rest {
            "" => rest,
            // Something is left that the path around it will not know what to do with either.
            left => self
                .rest
                .get(part.len().saturating_sub(left.len())..)
                .unwrap_or_default(),
        };
        Ok(expression)
    }

    /// Reads stages.
    fn expression(&mut self, depth: usize) -> Result<Expression, PathError> {
        if depth > MAX_DEPTH {
            return Err(error(
                self.offset(),
                "the path is nested too deep; use fewer # and queries",
            ));
        }
        let mut expression = Expression::default();
        let mut steps = Vec::new();
        self.check_start()?;
        loop {
            if self.modifier()? {
                // A modifier takes the whole result before it, as after a bar.
                expression.stages.push(std::mem::take(&mut steps));
                steps.push(Step::This);
            } else {
                steps.push(self.step(depth)?);
            }
            if self.eat(".") {
                continue;
            }
            if !self.eat("|") {
                break;
            }
            self.check_start()?;
            expression.stages.push(std::mem::take(&mut steps));
        }
        expression.stages.push(steps);
        // `@this` at the very start has nothing before it.
        expression.stages.retain(|steps| !steps.is_empty());
        Ok(expression)
    }

    /// Refuses what GJSON takes for something else than a key at the start of a stage.
    fn check_start(&self) -> Result<(), PathError> {
        if self.rest.starts_with("..") {
            return Err(error(
                self.offset(),
                "`..` reads JSON lines, which no answer is; name the key",
            ));
        }
        if self.rest.starts_with('!') {
            return Err(error(
                self.offset(),
                "literals `!...` are not supported; write \\! for a key that starts so",
            ));
        }
        Ok(())
    }

    /// Reads `@this`; refuses what else GJSON would not take as a key here.
    fn modifier(&mut self) -> Result<bool, PathError> {
        let offset = self.offset();
        if self.rest.starts_with(['{', '[']) {
            return Err(error(
                offset,
                "multipaths `{...}` and `[...]` are not supported; name one value, or write \\{ or \\[ for a key that \
                 starts so",
            ));
        }
        let Some(rest) = self.rest.strip_prefix('@') else {
            return Ok(false);
        };
        let (name, rest) = rest
            .split_at_checked(rest.find(['.', '|', ':']).unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        if !MODIFIERS.contains(&name) {
            return Ok(false);
        }
        if name != "this" || rest.starts_with(':') {
            return Err(error(
                offset,
                format!(
                    "the modifier @{name} is not supported; only @this is. Write \\@{name} for a key of this name"
                ),
            ));
        }
        self.rest = rest;
        Ok(true)
    }

    fn step(&mut self, depth: usize) -> Result<Step, PathError> {
        let deeper = depth.saturating_add(1);
        if self.rest.starts_with("#(") || self.rest.starts_with("#[") {
            return self.select(deeper);
        }
        if self.eat("#.") {
            return self.part(deeper).map(Step::Collect);
        }
        let is_length = self
            .rest
            .strip_prefix('#')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('|'));
        if is_length {
            self.eat("#");
            return Ok(Step::Length);
        }
        self.key()
    }

    fn key(&mut self) -> Result<Step, PathError> {
        let raw = self.rest;
        let mut name = String::new();
        let mut wild = false;
        let mut chars = raw.char_indices();
        let mut length = raw.len();
        while let Some((index, c)) = chars.next() {
            match c {
                '.' | '|' => {
                    length = index;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, c)) => name.push(c),
                    None => {
                        return Err(error(
                            self.offset().saturating_add(index),
                            "the path ends in a backslash; write \\\\ for a literal one",
                        ));
                    }
                },
                '*' | '?' => {
                    wild = true;
                    name.push(c);
                }
                c => name.push(c),
            }
        }
        let (raw, rest) = raw.split_at_checked(length).unwrap_or((raw, ""));
        self.rest = rest;
        let is_index = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
        Ok(Step::Key {
            name,
            wild,
            index: is_index.then(|| raw.parse().ok()).flatten(),
        })
    }

    fn select(&mut self, depth: usize) -> Result<Step, PathError> {
        let start = self.offset();
        let opening = self.rest;
        self.rest = self.rest.get(2..).unwrap_or_default();
        let inside = self.rest;
        let (operator, end) = query_parts(inside).ok_or_else(|| {
            error(start, "the query is never closed; it is written #(key==\"value\") or #(key==\"value\")# for all")
        })?;
        let condition = inside.get(..end).unwrap_or_default();
        self.rest = inside.get(end.saturating_add(1)..).unwrap_or_default();
        let (path, comparison) = condition
            .split_at_checked(operator.unwrap_or(end))
            .unwrap_or((condition, ""));
        let query = Query {
            path: self.query_path(path, inside, depth)?,
            test: test(comparison.trim(), start)?,
        };
        let all = self.eat("#");
        let rest = if self.eat(".") {
            Some(self.part(depth)?)
        } else {
            None
        };
        if !self.rest.is_empty() && !self.rest.starts_with('|') {
            let shown = opening
                .get(..opening.len().saturating_sub(self.rest.len()))
                .unwrap_or(opening);
            return Err(error(
                self.offset(),
                format!("after `{shown}` comes `.`, `|` or the end of the path"),
            ));
        }
        Ok(Step::Select {
            query: Box::new(query),
            all,
            rest,
        })
    }

    fn query_path(
        &self,
        path: &str,
        inside: &str,
        depth: usize,
    ) -> Result<Option<Expression>, PathError> {
        let leading = path.len().saturating_sub(path.trim_start().len());
        let trimmed = path.trim();
        if trimmed.is_empty() {
            return Ok(None);
        }
        let inside_offset = self.end.saturating_sub(self.rest.len());
        let used = inside.len().saturating_sub(self.rest.len());
        let start = inside_offset.saturating_sub(used).saturating_add(leading);
        let mut reader = Reader {
            rest: trimmed,
            end: start.saturating_add(trimmed.len()),
        };
        let expression = reader.expression(depth)?;
        Ok(Some(expression))
    }
}

/// Where a part ends that is taken from each of several elements: at its first bar, as GJSON looks for it.
///
/// It looks for queries as `.#(`, and does not look at the character after any other `.#`: the bar in `.#|` is the part's.
fn end_of_part(part: &str) -> usize {
    let mut chars = part.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '|' => return index,
            '\\' => {
                chars.next();
            }
            '.' if chars.as_str().starts_with('#') => {
                chars.next();
                match chars.next() {
                    Some((_, '(')) => skip_query(&mut chars, '(', ')'),
                    Some((_, '[')) => skip_query(&mut chars, '[', ']'),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    part.len()
}

/// Goes on behind the closing bracket of a query.
fn skip_query(chars: &mut std::str::CharIndices<'_>, open: char, close: char) {
    let mut depth: usize = 1;
    let mut quoted = false;
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => quoted = !quoted,
            _ if quoted => {}
            c if c == open => depth = depth.saturating_add(1),
            c if c == close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// Where the comparison starts, if there is one, and where the query's bracket closes.
fn query_parts(inside: &str) -> Option<(Option<usize>, usize)> {
    let mut operator = None;
    let mut depth: usize = 1;
    let mut quoted = false;
    let mut chars = inside.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => quoted = !quoted,
            _ if quoted => {}
            '!' | '=' | '<' | '>' | '%' if depth == 1 && operator.is_none() => {
                operator = Some(index)
            }
            '(' | '[' => depth = depth.saturating_add(1),
            ')' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((operator, index));
                }
            }
            _ => {}
        }
    }
    None
}

fn test(comparison: &str, offset: usize) -> Result<Test, PathError> {
    if comparison.is_empty() {
        return Ok(Test::Exists);
    }
    let operators = [
        ("!=", Operator::NotEqual),
        ("!%", Operator::NotLike),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("==", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("=", Operator::Equal),
        ("%", Operator::Like),
    ];
    let found = operators.iter().find_map(|(text, operator)| {
        comparison
            .strip_prefix(text)
            .map(|value| (*operator, value.trim()))
    });
    let Some((operator, value)) = found else {
        return Err(error(
            offset,
            "the query's comparison is none of == != < <= > >= % !%",
        ));
    };
    let value = match value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
    {
        Some(inside) if inside.contains('\\') => serde_json::from_str(value).map_err(|_| {
            error(
                offset,
                "the query's text has an escape that JSON does not know",
            )
        })?,
        Some(inside) => inside.to_owned(),
        None => value.to_owned(),
    };
    Ok(match value.strip_prefix('~') {
        None => Test::Compare(operator, value),
        Some("*") => Test::Like(operator, Likeness::There),
        Some("null") => Test::Like(operator, Likeness::Null),
        Some("true") => Test::Like(operator, Likeness::True),
        Some("false") => Test::Like(operator, Likeness::False),
        Some(_) => Test::Never,
    })
}

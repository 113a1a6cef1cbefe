//! What Oathkeeper says about patterns that it cannot read, to every request that it would have to match.

use std::fmt::Write;

use super::ast::{GroupId, Groups};
use super::regex::{Parser, UNCLOSED};
use super::syntax::PatternError;

/// Counts angle brackets as Oathkeeper does, which is the first it does.
pub(super) fn check_balance(pattern: &str) -> Result<(), PatternError> {
    let mut open: usize = 0;
    for (offset, c) in pattern.char_indices() {
        let change = match c {
            '<' => open.checked_add(1),
            '>' => open.checked_sub(1),
            _ => continue,
        };
        open = change.ok_or_else(|| unbalanced(pattern, offset))?;
    }
    match open {
        0 => Ok(()),
        _ => Err(unbalanced(pattern, pattern.len())),
    }
}

/// The glob that Oathkeeper makes of a pattern: text outside of `<...>` quoted, and no brackets.
pub(super) fn glob(pattern: &str) -> Result<String, PatternError> {
    check_balance(pattern).map_err(|error| {
        let message = "every `<` needs a `>`; a glob stands between them";
        PatternError::new(error.offset, message).original("unbalanced pattern")
    })?;
    let mut glob = String::new();
    let mut depth: usize = 0;
    for c in pattern.chars() {
        let outermost = match c {
            '<' => {
                depth = depth.saturating_add(1);
                depth == 1
            }
            '>' => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            _ => false,
        };
        if outermost {
            continue;
        }
        if depth == 0 && "*?\\[]{}".contains(c) {
            glob.push('\\');
        }
        glob.push(c);
    }
    Ok(glob)
}

fn unbalanced(pattern: &str, offset: usize) -> PatternError {
    let message = "Oathkeeper pairs every `<` with a `>`, also those of `(?<=`, `(?<!` and `(?>`";
    PatternError::new(offset, message)
        .original(format!("Unbalanced braces in \"\"{}\"\"", quoted(pattern)))
}

/// The text as Go quotes it.
fn quoted(pattern: &str) -> String {
    let mut quoted = String::new();
    for c in pattern.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\x{:02x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted
}

/// Reads one `<...>` by itself, as Oathkeeper does first: its groups count without the one that it is later.
pub(super) fn check_alone(pattern: &str, regex: &str, start: usize) -> Result<(), PatternError> {
    let mut groups = Groups::default();
    let says = |mut error: PatternError| {
        let leading = error.offset == start && regex.starts_with(['*', '+', '?', '{']);
        if let Some(message) = error.original.take() {
            // The brackets around it make a group of another kind of it.
            if leading && regex.len() > 1 && regex.starts_with('?') {
                return error;
            }
            // What only the brackets around the expression break is seen when the whole pattern is read.
            let whole = leading
                || message == UNCLOSED && error.offset != start_of_group(&error, regex, start);
            let text = if whole {
                whole_regex(pattern)
            } else {
                format!("^{regex}$")
            };
            error.original = Some(format!("error parsing regexp: {message} in `{text}`"));
        }
        error
    };
    let node = Parser::new(regex, start, true, &mut groups)
        .parse()
        .map_err(says)?;
    let last = groups.count().saturating_sub(1);
    let unknown = |group: &GroupId| match group {
        GroupId::Number(number) => usize::try_from(*number).is_ok_and(|number| number > last),
        GroupId::Name(_) => groups.number(group).is_none(),
    };
    let message = match node.find_reference(&unknown) {
        None => return Ok(()),
        // An octal code, to the engine.
        Some(GroupId::Number(10..)) => {
            return Err(PatternError::new(
                start,
                "there is no such group; write a character by its code as \\x41",
            ));
        }
        Some(GroupId::Number(number)) => format!("reference to undefined group number {number}"),
        Some(GroupId::Name(name)) => format!("reference to undefined group name {name}"),
    };
    Err(says(
        PatternError::new(
            start,
            "there is no such group inside these `<...>`, and Oathkeeper reads each of them by itself",
        )
        .original(message),
    ))
}

/// The offset of the error if it stands at a `(`, and none of the pattern's otherwise.
fn start_of_group(error: &PatternError, regex: &str, start: usize) -> usize {
    let inside = error.offset.saturating_sub(start);
    match regex.get(inside..) {
        Some(rest) if rest.starts_with('(') => error.offset,
        _ => usize::MAX,
    }
}

/// The regular expression that Oathkeeper makes of a whole pattern.
fn whole_regex(pattern: &str) -> String {
    let mut out = "^".to_owned();
    let mut depth: usize = 0;
    for c in pattern.chars() {
        match c {
            '<' => {
                if depth > 0 {
                    out.push(c);
                } else {
                    out.push('(');
                }
                depth = depth.saturating_add(1);
            }
            '>' => {
                depth = depth.saturating_sub(1);
                out.push(if depth > 0 { c } else { ')' });
            }
            c => {
                if depth == 0 && "\\.+*?()|[]{}^$".contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out.push('$');
    out
}

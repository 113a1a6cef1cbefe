//! Go's `fmt.Sprintf`.

mod number;

use std::fmt::Write as _;

use crate::format::{MAX_OUTPUT, display, quoted_in, too_deep, too_long};
use crate::value::{MAX_DEPTH, Value};

/// Go ignores a width or precision above this.
const TOO_LARGE: i64 = 1_000_000;

/// Formats; `nil` is what a value that is not there prints, or `None` for Go's words.
pub(crate) fn sprintf(
    format: &str,
    args: &[Value<'_>],
    nil: Option<&str>,
) -> Result<String, String> {
    let mut printer = Printer {
        out: String::new(),
        rest: format,
        args,
        next: 0,
        reordered: false,
        good_number: true,
        nil,
    };
    printer.run()?;
    Ok(printer.out)
}

/// A verb's flags, width and precision.
#[derive(Clone, Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: Go's syntax.
    syntax: bool,
    /// `%+v`: names of fields.
    names: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'f, 'v, 'a> {
    out: String,
    rest: &'f str,
    args: &'v [Value<'a>],
    next: usize,
    reordered: bool,
    good_number: bool,
    nil: Option<&'f str>,
}

impl<'f> Printer<'f, '_, '_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some((text, after)) = self.rest.split_once('%') {
            self.out.push_str(text);
            self.rest = after;
            self.verb()?;
            if self.out.len() > MAX_OUTPUT {
                return Err(too_long());
            }
        }
        self.out.push_str(self.rest);
        self.extra()
    }

    fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn verb(&mut self) -> Result<(), String> {
        self.good_number = true;
        let mut spec = Spec::default();
        loop {
            match self.rest.chars().next() {
                Some('#') => spec.sharp = true,
                Some('0') => spec.zero = true,
                Some('+') => spec.plus = true,
                Some('-') => spec.minus = true,
                Some(' ') => spec.space = true,
                _ => break,
            }
            self.rest = self.rest.get(1..).unwrap_or("");
        }
        let mut after_index = self.index();
        if self.eat('*') {
            spec.width = match self.int_argument() {
                Some(width) => {
                    if width < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                    usize::try_from(width.unsigned_abs()).ok()
                }
                None => {
                    self.out.push_str("%!(BADWIDTH)");
                    None
                }
            };
            after_index = false;
        } else {
            spec.width = self.decimal();
            self.good_number &= !(after_index && spec.width.is_some());
        }
        // A dot at the very end is taken for a verb.
        if self.rest.len() > 1 && self.eat('.') {
            self.good_number &= !after_index;
            after_index = self.index();
            if self.eat('*') {
                let precision = self.int_argument();
                spec.precision = precision.and_then(|precision| usize::try_from(precision).ok());
                if spec.precision.is_none() {
                    self.out.push_str("%!(BADPREC)");
                }
                after_index = false;
            } else {
                spec.precision = Some(self.decimal().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let longest = spec.width.max(spec.precision).unwrap_or(0);
        if longest > MAX_OUTPUT {
            return Err("width or precision in the format is too large".to_owned());
        }
        let Some(verb) = self.rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(());
        };
        self.rest = self.rest.get(verb.len_utf8()..).unwrap_or("");
        if verb == '%' {
            self.out.push('%');
            return Ok(());
        }
        if !self.good_number {
            let _ = write!(self.out, "%!{verb}(BADINDEX)");
            return Ok(());
        }
        let Some(value) = self.args.get(self.next) else {
            let _ = write!(self.out, "%!{verb}(MISSING)");
            return Ok(());
        };
        self.next = self.next.saturating_add(1);
        if matches!(verb, 'v' | 'w') {
            spec.syntax = std::mem::take(&mut spec.sharp);
            spec.names = std::mem::take(&mut spec.plus);
        }
        if let (Value::Null, Some(nil)) = (value, self.nil) {
            pad(&mut self.out, nil, &spec);
            return Ok(());
        }
        argument(&mut self.out, verb, value, &spec)
    }

    /// `[n]`: the argument to use next. True if one was written well.
    fn index(&mut self) -> bool {
        let Some(inner) = self.rest.strip_prefix('[') else {
            return false;
        };
        self.reordered = true;
        let Some((number, after)) = inner.split_once(']').filter(|_| self.rest.len() >= 3) else {
            self.rest = inner;
            self.good_number = false;
            return false;
        };
        self.rest = after;
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let position: Option<usize> = number.parse().ok();
        match position.and_then(|position| position.checked_sub(1)) {
            Some(position) if is_number && position < self.args.len() => {
                self.next = position;
                true
            }
            _ => {
                self.good_number = false;
                is_number
            }
        }
    }

    fn int_argument(&mut self) -> Option<i64> {
        let value = self.args.get(self.next)?;
        self.next = self.next.saturating_add(1);
        value
            .whole()
            .filter(|int| (-TOO_LARGE..=TOO_LARGE).contains(int))
    }

    fn decimal(&mut self) -> Option<usize> {
        let digits = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (number, after) = self.rest.split_at_checked(digits)?;
        if number.is_empty() {
            return None;
        }
        self.rest = after;
        Some(number.parse().unwrap_or(usize::MAX))
    }

    /// Arguments no verb asked for.
    fn extra(&mut self) -> Result<(), String> {
        let extra = self.args.get(self.next..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return Ok(());
        }
        self.out.push_str("%!(EXTRA ");
        for (i, value) in extra.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            match value {
                Value::Null => self.out.push_str("<nil>"),
                value => {
                    let _ = write!(self.out, "{}={}", value.type_name(), display(value)?);
                }
            }
        }
        self.out.push(')');
        Ok(())
    }
}

fn argument(out: &mut String, verb: char, value: &Value<'_>, spec: &Spec) -> Result<(), String> {
    match (verb, value) {
        ('T' | 'v', Value::Null) => pad(out, "<nil>", spec),
        (_, Value::Null) => {
            let _ = write!(out, "%!{verb}(<nil>)");
        }
        ('T', value) => string(out, value.type_name(), spec),
        (verb, value) => print(out, verb, value, spec, MAX_DEPTH)?,
    }
    Ok(())
}

/// What a verb makes of a value it is not for.
fn bad_verb(
    out: &mut String,
    verb: char,
    value: &Value<'_>,
    spec: &Spec,
    depth: usize,
) -> Result<(), String> {
    if matches!(value, Value::Null) {
        let _ = write!(out, "%!{verb}(<nil>)");
        return Ok(());
    }
    let _ = write!(out, "%!{verb}({}=", value.type_name());
    print(out, 'v', value, spec, depth)?;
    out.push(')');
    Ok(())
}

fn print(
    out: &mut String,
    verb: char,
    value: &Value<'_>,
    spec: &Spec,
    depth: usize,
) -> Result<(), String> {
    let below = depth.checked_sub(1).ok_or_else(too_deep)?;
    if out.len() > MAX_OUTPUT {
        return Err(too_long());
    }
    match value {
        Value::Null if spec.syntax => out.push_str("interface {}(nil)"),
        Value::Null => out.push_str("<nil>"),
        // An error is wanted, which nothing here is.
        _ if verb == 'w' => bad_verb(out, verb, value, spec, below)?,
        Value::Bool(truth) if matches!(verb, 'v' | 't') => {
            pad(out, if *truth { "true" } else { "false" }, spec);
        }
        Value::Float(float) if matches!(verb, 'v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G') => {
            number::float(out, verb, *float, spec);
        }
        Value::Str(text) => match verb {
            'v' if spec.syntax => quote(out, text, spec),
            'v' | 's' => string(out, text, spec),
            'q' => quote(out, text, spec),
            'x' | 'X' => hex(out, text, verb, spec),
            _ => bad_verb(out, verb, value, spec, below)?,
        },
        Value::Object(object) if !object.is_map() => match object.text() {
            Some(text) if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') && !spec.syntax => {
                print(out, verb, &Value::from(text), spec, below)?;
            }
            _ => structure(out, verb, *object, spec, below)?,
        },
        value => {
            if let Some(int) = value.whole() {
                return number::integer(out, verb, int, value, spec, below);
            }
            if value.items().is_some() || value.is_map() {
                return collection(out, verb, value, spec, below);
            }
            bad_verb(out, verb, value, spec, below)?;
        }
    }
    Ok(())
}

fn structure(
    out: &mut String,
    verb: char,
    object: &(dyn crate::Object + '_),
    spec: &Spec,
    depth: usize,
) -> Result<(), String> {
    let name = object.type_name();
    if object.is_pointer() {
        out.push('&');
    }
    if spec.syntax {
        out.push_str(name.trim_start_matches('*'));
    }
    out.push('{');
    for (i, (field, _)) in object.fields().iter().enumerate() {
        if i > 0 {
            out.push_str(if spec.syntax { ", " } else { " " });
        }
        if spec.names || spec.syntax {
            let _ = write!(out, "{field}:");
        }
        let value = object.field(field).unwrap_or(Value::Null).plain();
        print(out, verb, &value, spec, depth)?;
    }
    out.push('}');
    Ok(())
}

fn collection(
    out: &mut String,
    verb: char,
    value: &Value<'_>,
    spec: &Spec,
    depth: usize,
) -> Result<(), String> {
    let is_map = value.is_map();
    if spec.syntax {
        out.push_str(value.type_name());
        if value.is_nil() {
            out.push_str("(nil)");
            return Ok(());
        }
    }
    out.push_str(match (spec.syntax, is_map) {
        (true, _) => "{",
        (false, true) => "map[",
        (false, false) => "[",
    });
    let glue = if spec.syntax { ", " } else { " " };
    let mut first = true;
    let mut element = |out: &mut String, key: Option<&str>, item: &Value<'_>| {
        if !std::mem::take(&mut first) {
            out.push_str(glue);
        }
        if let Some(key) = key {
            print(out, verb, &Value::from(key), spec, depth)?;
            out.push(':');
        }
        print(out, verb, item, spec, depth)
    };
    if is_map {
        for (key, item) in value.entries().unwrap_or_default() {
            element(out, Some(&key), &item)?;
        }
    } else {
        for item in value.items().unwrap_or_default() {
            element(out, None, &item)?;
        }
    }
    out.push(if spec.syntax { '}' } else { ']' });
    Ok(())
}

/// Pads to the width.
fn pad(out: &mut String, text: &str, spec: &Spec) {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if spec.minus {
        out.push_str(text);
    }
    fill(out, missing, spec.zero && !spec.minus);
    if !spec.minus {
        out.push_str(text);
    }
}

fn fill(out: &mut String, count: usize, zero: bool) {
    out.extend(std::iter::repeat_n(if zero { '0' } else { ' ' }, count));
}

/// The text's first characters, as many as the precision says.
fn cut<'t>(text: &'t str, spec: &Spec) -> &'t str {
    let end = spec
        .precision
        .and_then(|count| text.char_indices().nth(count))
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

fn string(out: &mut String, text: &str, spec: &Spec) {
    pad(out, cut(text, spec), spec);
}

fn quote(out: &mut String, text: &str, spec: &Spec) {
    let text = cut(text, spec);
    let raw = |c: char| {
        c != '`' && c != '\u{feff}' && (c == '\t' || !matches!(c, '\0'..='\x1f' | '\x7f'))
    };
    if spec.sharp && text.chars().all(raw) {
        pad(out, &format!("`{text}`"), spec);
    } else {
        pad(out, &quoted_in(text, '"', spec.plus), spec);
    }
}

fn hex(out: &mut String, text: &str, verb: char, spec: &Spec) {
    let mut digits = String::new();
    for (i, byte) in text
        .bytes()
        .take(spec.precision.unwrap_or(usize::MAX))
        .enumerate()
    {
        if spec.space && i > 0 {
            digits.push(' ');
        }
        if spec.sharp && (spec.space || i == 0) {
            digits.push('0');
            digits.push(verb);
        }
        let _ = if verb == 'x' {
            write!(digits, "{byte:02x}")
        } else {
            write!(digits, "{byte:02X}")
        };
    }
    pad(out, &digits, spec);
}

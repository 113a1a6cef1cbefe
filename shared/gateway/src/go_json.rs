//! What Go's `encoding/json` says of a text that is no JSON. Strict mode tells it in Oathkeeper's words.

/// Why a text is not what was expected, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GoJsonError(pub(crate) String);

/// How deep arrays and objects may lie in one another; a bound that no honest document meets.
const MAX_DEPTH: usize = 128;

/// Where a text is allowed to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// `json.Unmarshal`: after one value and white space.
    Whole,
    /// `json.Decoder`: behind the first value, whatever follows.
    First,
}

/// Checks a text as `json.Unmarshal` does.
///
/// # Errors
/// The words of Go's `SyntaxError`.
pub(crate) fn check(text: &[u8]) -> Result<(), GoJsonError> {
    Scanner::new(text, Extent::Whole).run().map(|_| ())
}

/// Reads the first value of a text, as `json.Decoder` does.
///
/// # Errors
/// The words of Go's errors.
pub(crate) fn first(text: &[u8]) -> Result<serde_json::Value, GoJsonError> {
    let end = Scanner::new(text, Extent::First).run()?;
    let value = text.get(..end).unwrap_or_default();
    // Go reads what is not UTF-8 as U+FFFD.
    serde_json::from_str(&String::from_utf8_lossy(value))
        .map_err(|error| GoJsonError(error.to_string()))
}

/// The name that Go gives a kind of JSON value when it does not fit.
pub(crate) fn kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "bool",
        serde_json::Value::Number(_) => "number",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "array",
        serde_json::Value::Object(_) => "object",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Array,
    Object,
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    extent: Extent,
    inside: Vec<Inside>,
}

type Scanned<T> = Result<T, GoJsonError>;

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], extent: Extent) -> Self {
        Self {
            text,
            at: 0,
            extent,
            inside: Vec::new(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// An error about the next byte, or about the end.
    fn wrong<T>(&self, context: &str) -> Scanned<T> {
        Err(GoJsonError(match self.peek() {
            Some(byte) => format!("invalid character {} {context}", quoted(byte)),
            // Go ends a text with a space, and tells of that where none may be.
            None if self.extent == Extent::Whole && is_amid_a_token(context) => {
                format!("invalid character ' ' {context}")
            }
            None if self.extent == Extent::Whole => "unexpected end of JSON input".to_owned(),
            None if self.text.iter().all(u8::is_ascii_whitespace) => "EOF".to_owned(),
            None => "unexpected EOF".to_owned(),
        }))
    }

    fn expect(&mut self, accepts: impl Fn(u8) -> bool, context: &str) -> Scanned<u8> {
        match self.peek() {
            Some(byte) if accepts(byte) => {
                self.at = self.at.saturating_add(1);
                Ok(byte)
            }
            _ => self.wrong(context),
        }
    }

    /// The offset behind the value.
    fn run(mut self) -> Scanned<usize> {
        loop {
            self.space();
            let opened = self.value()?;
            if !opened && self.close()? {
                break;
            }
        }
        let end = self.at;
        if self.extent == Extent::Whole {
            self.space();
            if self.peek().is_some() {
                return self.wrong("after top-level value");
            }
        }
        Ok(end)
    }

    /// Reads a value, or the beginning of one that holds others; then it is true.
    fn value(&mut self) -> Scanned<bool> {
        match self.peek() {
            Some(b'{') => {
                self.open(Inside::Object)?;
                self.space();
                if self.peek() == Some(b'}') {
                    return Ok(false);
                }
                self.key().map(|()| true)
            }
            Some(b'[') => {
                self.open(Inside::Array)?;
                self.space();
                Ok(self.peek() != Some(b']'))
            }
            Some(b'"') => self.string().map(|()| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.literal("true").map(|()| false),
            Some(b'f') => self.literal("false").map(|()| false),
            Some(b'n') => self.literal("null").map(|()| false),
            _ => self.wrong("looking for beginning of value"),
        }
    }

    fn open(&mut self, kind: Inside) -> Scanned<()> {
        self.at = self.at.saturating_add(1);
        self.inside.push(kind);
        if self.inside.len() > MAX_DEPTH {
            return Err(GoJsonError("exceeded max depth".to_owned()));
        }
        Ok(())
    }

    /// After a value: closes what ends here, up to the next value. Whether the outermost is complete.
    fn close(&mut self) -> Scanned<bool> {
        loop {
            let Some(inside) = self.inside.last().copied() else {
                return Ok(true);
            };
            self.space();
            match (inside, self.peek()) {
                (Inside::Array, Some(b']')) | (Inside::Object, Some(b'}')) => {
                    self.at = self.at.saturating_add(1);
                    self.inside.pop();
                }
                (Inside::Array, Some(b',')) => {
                    self.at = self.at.saturating_add(1);
                    return Ok(false);
                }
                (Inside::Object, Some(b',')) => {
                    self.at = self.at.saturating_add(1);
                    self.space();
                    self.key()?;
                    return Ok(false);
                }
                (Inside::Array, _) => return self.wrong("after array element"),
                (Inside::Object, _) => return self.wrong("after object key:value pair"),
            }
        }
    }

    fn key(&mut self) -> Scanned<()> {
        if self.peek() != Some(b'"') {
            return self.wrong("looking for beginning of object key string");
        }
        self.string()?;
        self.space();
        self.expect(|byte| byte == b':', "after object key")
            .map(|_| ())
    }

    fn string(&mut self) -> Scanned<()> {
        self.at = self.at.saturating_add(1);
        loop {
            match self.expect(|byte| byte >= b' ', "in string literal")? {
                b'"' => return Ok(()),
                b'\\' => {
                    let escape = self.expect(
                        |byte| b"bfnrt\\/\"u".contains(&byte),
                        "in string escape code",
                    )?;
                    if escape == b'u' {
                        for _ in 0..4 {
                            self.expect(
                                |byte| byte.is_ascii_hexdigit(),
                                "in \\u hexadecimal character escape",
                            )?;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn number(&mut self) -> Scanned<()> {
        if self.peek() == Some(b'-') {
            self.at = self.at.saturating_add(1);
        }
        if self.expect(|byte| byte.is_ascii_digit(), "in numeric literal")? != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at = self.at.saturating_add(1);
            self.expect(
                |byte| byte.is_ascii_digit(),
                "after decimal point in numeric literal",
            )?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at = self.at.saturating_add(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at = self.at.saturating_add(1);
            }
            self.expect(
                |byte| byte.is_ascii_digit(),
                "in exponent of numeric literal",
            )?;
            self.digits();
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Scanned<()> {
        self.take();
        for wanted in word.bytes().skip(1) {
            let context = format!("in literal {word} (expecting {})", quoted(wanted));
            self.expect(|byte| byte == wanted, &context)?;
        }
        Ok(())
    }
}

/// Whether no space may stand where this is said.
fn is_amid_a_token(context: &str) -> bool {
    (context.starts_with("in ") && context != "in string literal")
        || context.starts_with("after decimal")
}

/// A byte as Go quotes it in these messages.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        0x07 => "'\\a'".to_owned(),
        0x08 => "'\\b'".to_owned(),
        0x0b => "'\\v'".to_owned(),
        0x0c => "'\\f'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        // The byte is taken for a character of Latin-1, of which these do not print.
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go 1.26 says.
    #[test]
    fn the_words_are_gos() {
        for (text, whole, decoded) in [
            ("", "unexpected end of JSON input", "EOF"),
            (" \n", "unexpected end of JSON input", "EOF"),
            ("{", "unexpected end of JSON input", "unexpected EOF"),
            (
                "tru",
                "invalid character ' ' in literal true (expecting 'e')",
                "unexpected EOF",
            ),
            ("[1,", "unexpected end of JSON input", "unexpected EOF"),
            ("\"a", "unexpected end of JSON input", "unexpected EOF"),
            (
                "-",
                "invalid character ' ' in numeric literal",
                "unexpected EOF",
            ),
            (
                "not json",
                "invalid character 'o' in literal null (expecting 'u')",
                "",
            ),
            (
                "guest",
                "invalid character 'g' looking for beginning of value",
                "",
            ),
            (
                "<html>",
                "invalid character '<' looking for beginning of value",
                "",
            ),
            (
                "{\"s\": guest }",
                "invalid character 'g' looking for beginning of value",
                "",
            ),
            (
                "{\"s\": \"a\"b\"}",
                "invalid character 'b' after object key:value pair",
                "",
            ),
            (
                "{s}",
                "invalid character 's' looking for beginning of object key string",
                "",
            ),
            (
                "{\"a\":1,}",
                "invalid character '}' looking for beginning of object key string",
                "",
            ),
            ("{\"a\" 1}", "invalid character '1' after object key", ""),
            ("[1 2]", "invalid character '2' after array element", ""),
            (
                "[1,]",
                "invalid character ']' looking for beginning of value",
                "",
            ),
            ("01", "invalid character '1' after top-level value", "-"),
            ("{} x", "invalid character 'x' after top-level value", "-"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
                "",
            ),
            (
                "1ex",
                "invalid character 'x' in exponent of numeric literal",
                "",
            ),
            ("-x", "invalid character 'x' in numeric literal", ""),
            ("\"\n\"", "invalid character '\\n' in string literal", ""),
            ("\"\\x\"", "invalid character 'x' in string escape code", ""),
            (
                "\"\\u12g4\"",
                "invalid character 'g' in \\u hexadecimal character escape",
                "",
            ),
            (
                "'a'",
                "invalid character '\\'' looking for beginning of value",
                "",
            ),
            (
                "\u{e9}",
                "invalid character 'Ã' looking for beginning of value",
                "",
            ),
            (
                "\u{0}",
                "invalid character '\\x00' looking for beginning of value",
                "",
            ),
            (
                "\u{7f}",
                "invalid character '\\x7f' looking for beginning of value",
                "",
            ),
        ] {
            assert_eq!(
                check(text.as_bytes()),
                Err(GoJsonError(whole.to_owned())),
                "{text:?}"
            );
            let decoded = match decoded {
                "-" => continue,
                "" => whole,
                decoded => decoded,
            };
            assert_eq!(
                first(text.as_bytes()),
                Err(GoJsonError(decoded.to_owned())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn json_is_json() {
        for text in [
            "null",
            " 1 ",
            "-0.5e+10",
            "[]",
            "{}",
            "[[],{}]",
            "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"\\u00e9\\n\"}",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
            assert_eq!(
                first(text.as_bytes()).unwrap(),
                serde_json::from_str::<serde_json::Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn a_decoder_stops_behind_the_first_value() {
        assert_eq!(
            first(b" {\"a\":1} garbage").unwrap(),
            serde_json::json!({"a": 1})
        );
        assert_eq!(first(b"01").unwrap(), serde_json::json!(0));
        assert_eq!(first(b"\"\xff\"").unwrap(), serde_json::json!("\u{fffd}"));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(
            check(deep.as_bytes()),
            Err(GoJsonError("exceeded max depth".to_owned()))
        );
    }
}

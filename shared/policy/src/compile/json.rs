//! JSON as a tree with places.
//!
//! A comment or a comma too many or too few is an error, and the rest of the file is looked at all the same.

use std::cell::Cell;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult};

use super::code::Code;
use super::node::{Entries, Key, Node, Span, Style, Value};
use super::report::Report;
use super::yaml::{MAX_DEPTH, duplicate};

/// Reads a JSON document; what is wrong with it is in the report, and `None` says that no tree came out.
pub(super) fn parse(text: &str, file: usize, report: &mut Report) -> Option<Node> {
    let lines = Lines::new(text, file);
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::AsTokens,
        tokens: true,
    };
    let mended;
    let before = report.mark();
    let mut refused = None;
    let parsed = match jsonc_parser::parse_to_ast(text, &collect, &options(false)) {
        Ok(parsed) => parsed,
        Err(error) => {
            mended = without_hashes(text, &lines, report);
            // A tree for the eye: nothing is built of it, and what else is wrong is told in the same run.
            let Ok(parsed) = jsonc_parser::parse_to_ast(&mended, &collect, &options(true)) else {
                tell(&error, text, &lines, report);
                return None;
            };
            refused = Some(error);
            parsed
        }
    };
    look(&parsed, text, &lines, report);
    if let Some(error) = refused.filter(|_| !report.failed_since(before)) {
        tell(&error, text, &lines, report);
    }
    let Some(value) = parsed.value else {
        return Some(Node::new(Value::Null, lines.span(0)));
    };
    build(&value, &lines, 0, report)
}

/// Reports what stands between brackets and values, and is not JSON.
fn look(parsed: &ParseResult<'_>, text: &str, lines: &Lines<'_>, report: &mut Report) {
    let mut before: Option<&TokenAndRange<'_>> = None;
    for token in parsed.tokens.iter().flatten() {
        let (start, end) = (token.range.start, token.range.end);
        if matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_)) {
            comment(lines.span(start), report);
            continue;
        }
        let closes = matches!(token.token, Token::CloseBrace | Token::CloseBracket);
        if let Some(comma) = before.filter(|before| closes && before.token == Token::Comma) {
            report.error(
                Code::TRAILING_COMMA,
                lines.span(comma.range.start),
                "a comma with nothing behind it",
                "take the comma out; JSON has one only between two entries, and a reader of JSON drops the whole file for it",
            );
        }
        let goes_on = closes || matches!(token.token, Token::Comma | Token::Colon);
        if let Some(value) = before.filter(|before| !goes_on && ends_a_value(&before.token)) {
            let kind = ParseErrorKind::ExpectedComma;
            not_json(&kind, lines.span(value.range.end), report);
        }
        if let Token::Word(_) = token.token {
            let kind = ParseErrorKind::ExpectedStringObjectProperty;
            not_json(&kind, lines.span(start), report);
        }
        if let Token::String(_) = token.token {
            let raw = text.get(start..end).unwrap_or_default();
            if raw.starts_with('\'') {
                let kind = ParseErrorKind::SingleQuotedStringsNotAllowed;
                not_json(&kind, lines.span(start), report);
            }
            control(raw, start, lines, report);
        }
        before = Some(token);
    }
}

/// Whether a value, or a key, is at its end with this.
const fn ends_a_value(token: &Token<'_>) -> bool {
    !matches!(
        token,
        Token::OpenBrace | Token::OpenBracket | Token::Comma | Token::Colon
    )
}

/// Reports a control character in a text.
fn control(raw: &str, start: usize, lines: &Lines<'_>, report: &mut Report) {
    let Some((at, c)) = raw.char_indices().find(|(_, c)| *c < ' ') else {
        return;
    };
    let code = u32::from(c);
    report.error(
        Code::JSON_SYNTAX,
        lines.span(start.saturating_add(at)),
        format!("this is not JSON: a control character (U+{code:04X}) in a text"),
        format!(
            "write `\\u{code:04x}`, or take it out; a reader of JSON drops the whole file for it"
        ),
    );
}

/// What is read; `leniently` also what people write for JSON and a reader of JSON drops the file for.
const fn options(leniently: bool) -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: leniently,
        allow_trailing_commas: true,
        allow_missing_commas: leniently,
        allow_single_quoted_strings: leniently,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Reports where the reader gave up. A comment with a hash is told by [`without_hashes`].
fn tell(error: &ParseError, text: &str, lines: &Lines<'_>, report: &mut Report) {
    let at = error.range().start;
    // The reader has a bound of its own, beyond ours.
    if error.kind().to_string().contains("nesting") {
        too_deep(lines.span(at), report);
    } else if !text.get(at..).is_some_and(|rest| rest.starts_with('#')) {
        not_json(error.kind(), lines.span(at), report);
    }
}

fn not_json(kind: &ParseErrorKind, span: Span, report: &mut Report) {
    let (message, help) = explain(kind);
    report.error(Code::JSON_SYNTAX, span, message, help);
}

fn comment(span: Span, report: &mut Report) {
    report.error(
        Code::JSON_COMMENT,
        span,
        "JSON has no comments",
        "take the comment out, or put it into the rule's `description`; YAML files may have comments",
    );
}

/// The text with blanks in place of comments as YAML has them, which are reported.
fn without_hashes(text: &str, lines: &Lines<'_>, report: &mut Report) -> String {
    let mut blanked = String::with_capacity(text.len());
    let (mut quote, mut is_escaped, mut is_comment) = (None, false, false);
    for (at, c) in text.char_indices() {
        if matches!(c, '\n' | '\r') {
            (quote, is_escaped, is_comment) = (None, false, false);
        } else if is_comment {
            blanked.extend(std::iter::repeat_n(' ', c.len_utf8()));
            continue;
        } else if quote.is_some() {
            if quote == Some(c) && !is_escaped {
                quote = None;
            }
            is_escaped = c == '\\' && !is_escaped;
        } else if matches!(c, '"' | '\'') {
            quote = Some(c);
        } else if c == '#' {
            comment(lines.span(at), report);
            is_comment = true;
            blanked.push(' ');
            continue;
        }
        blanked.push(c);
    }
    blanked
}

fn build(
    value: &ast::Value<'_>,
    lines: &Lines<'_>,
    depth: usize,
    report: &mut Report,
) -> Option<Node> {
    let span = lines.span(value.range().start);
    if depth > MAX_DEPTH {
        too_deep(span, report);
        return None;
    }
    let deeper = depth.saturating_add(1);
    let mut style = Style::Plain;
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(flag) => Value::Flag(flag.value),
        ast::Value::NumberLit(number) => Value::Number(number.value.to_owned()),
        ast::Value::StringLit(text) => {
            style = Style::DoubleQuoted;
            Value::Text(text.value.to_string())
        }
        ast::Value::Array(array) => {
            let mut items = Vec::with_capacity(array.elements.len());
            for element in &array.elements {
                items.push(build(element, lines, deeper, report)?);
            }
            Value::List(items)
        }
        ast::Value::Object(object) => {
            let mut entries = Entries::default();
            for property in &object.properties {
                let key = Key {
                    name: property.name.as_str().to_owned(),
                    span: lines.span(property.range.start),
                };
                let node = build(&property.value, lines, deeper, report)?;
                match entries.known(&key.name) {
                    Some(first) => duplicate(report, first, &key),
                    None => entries.push(key, node),
                }
            }
            Value::Table(entries.into_list())
        }
    };
    let mut node = Node::new(value, span);
    node.style = style;
    Some(node)
}

fn too_deep(span: Span, report: &mut Report) {
    report.error(
        Code::TOO_DEEP,
        span,
        format!("this nests deeper than {MAX_DEPTH} levels"),
        "no configuration does; look for a bracket that is too much",
    );
}

fn explain(kind: &ParseErrorKind) -> (String, &'static str) {
    let help = match kind {
        ParseErrorKind::ExpectedComma => "put a comma behind the entry before this one",
        ParseErrorKind::SingleQuotedStringsNotAllowed => "JSON has double quotes only",
        ParseErrorKind::ExpectedStringObjectProperty | ParseErrorKind::UnexpectedWord => {
            "put keys and texts in double quotes"
        }
        ParseErrorKind::UnterminatedArray => "the `[` that begins here has no `]`",
        ParseErrorKind::UnterminatedObject => "the `{` that begins here has no `}`",
        ParseErrorKind::MultipleRootJsonValues => {
            "a file holds one value; put several rules into one list, `[` … `]`"
        }
        ParseErrorKind::String(_) => {
            "a text ends on the line it begins; a backslash in it is written `\\\\`, as in `\\\\.` of a regular expression"
        }
        _ => "look at the brackets, commas and quotes of this line and the one before it",
    };
    let mut what = kind.to_string();
    if let Some(first) = what.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    (format!("this is not JSON: {what}"), help)
}

/// Byte offsets as lines and columns.
struct Lines<'t> {
    text: &'t str,
    file: usize,
    starts: Vec<usize>,
    /// The offset that was last asked for, its line's start and its column from 0: in a file of one line, the next is near.
    last: Cell<(usize, usize, usize)>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, file: usize) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at.saturating_add(1)));
        Self {
            text,
            file,
            starts,
            last: Cell::new((0, 0, 0)),
        }
    }

    fn span(&self, offset: usize) -> Span {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .copied()
            .unwrap_or_default();
        let (known, start_of_known, column_of_known) = self.last.get();
        let (from, before) = if start_of_known == start && known <= offset {
            (known, column_of_known)
        } else {
            (start, 0)
        };
        let more = self.text.get(from..offset);
        let before = before.saturating_add(more.map_or(0, |more| more.chars().count()));
        self.last.set((offset, start, before));
        let column = before.saturating_add(1);
        Span {
            file: self.file,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

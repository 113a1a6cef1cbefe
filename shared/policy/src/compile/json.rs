//! JSON as a tree with places.
//!
//! A comment or a trailing comma is an error, and the rest of the file is looked at all the same.

use std::cell::Cell;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions};

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
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: true,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = match jsonc_parser::parse_to_ast(text, &collect, &options) {
        Ok(parsed) => parsed,
        Err(error) => {
            let (message, help) = explain(&error);
            let at = error.range().start;
            let is_comment = text.get(at..).is_some_and(|rest| rest.starts_with('#'));
            if is_comment {
                report.error(
                    Code::JSON_COMMENT,
                    lines.span(at),
                    "JSON has no comments",
                    "take the comment out, or put it into the rule's `description`; YAML files may have comments",
                );
                return None;
            }
            // The reader has a bound of its own, beyond ours.
            if message.contains("nesting") {
                too_deep(lines.span(at), report);
            } else {
                report.error(Code::JSON_SYNTAX, lines.span(at), message, help);
            }
            return None;
        }
    };
    let mut comma = None;
    for token in parsed.tokens.iter().flatten() {
        match (&token.token, comma) {
            (Token::CommentLine(_) | Token::CommentBlock(_), _) => {
                report.error(Code::JSON_COMMENT,
                    lines.span(token.range.start),
                    "JSON has no comments",
                    "take the comment out, or put it into the rule's `description`; YAML files may have comments",
                );
                continue;
            }
            (Token::CloseBrace | Token::CloseBracket, Some(start)) => report.error(Code::TRAILING_COMMA,
                lines.span(start),
                "a comma with nothing behind it",
                "take the comma out; JSON has one only between two entries, and a reader of JSON drops the whole file for it",
            ),
            (Token::String(_), _) => {
                let raw = text.get(token.range.start..token.range.end);
                let control = raw.and_then(|raw| raw.char_indices().find(|(_, c)| *c < ' '));
                if let Some((at, c)) = control {
                    let code = u32::from(c);
                    report.error(
                        Code::JSON_SYNTAX,
                        lines.span(token.range.start.saturating_add(at)),
                        format!("this is not JSON: a control character (U+{code:04X}) in a text"),
                        format!("write `\\u{code:04x}`, or take it out; a reader of JSON drops the whole file for it"),
                    );
                }
            }
            _ => {}
        }
        comma = matches!(token.token, Token::Comma).then_some(token.range.start);
    }
    let Some(value) = parsed.value else {
        return Some(Node::new(Value::Null, lines.span(0)));
    };
    build(&value, &lines, 0, report)
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

fn explain(error: &ParseError) -> (String, &'static str) {
    let help = match error.kind() {
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
    let mut what = error.kind().to_string();
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

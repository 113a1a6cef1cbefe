//! YAML as a tree with places.
//!
//! Scalars are those of YAML 1.2's core schema (section 10.3), so `yes` and `on` are texts; in rules, which Oathkeeper
//! reads as YAML 1.1, they count as flags where one is expected (`Node::with_old_flags`). Merge keys (`<<`)
//! are understood, since Oathkeeper's library does. What would be ambiguous is refused: a key twice, two documents.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::code::Code;
use super::node::{Entries, Key, Node, Span, Style, Value};
use super::report::Report;

/// How deep lists and tables may nest.
pub(super) const MAX_DEPTH: usize = 64;

/// How many values the aliases of a document may stand for. A few lines of aliases of aliases would otherwise grow to
/// billions ("billion laughs"). What is written out is bounded by the length of the file.
const MAX_COPIED: usize = 200_000;

/// How many values anchors may stand for: each keeps a copy of its own, those of an anchor inside of it included.
const MAX_REMEMBERED: usize = 2_000_000;

/// Reads a YAML document; what is wrong with it is in the report, and `None` says that no tree came out.
pub(super) fn parse(text: &str, file: usize, report: &mut Report) -> Option<Node> {
    let mut builder = Builder {
        file,
        report,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        copied: 0,
        remembered: 0,
        documents: 0,
        is_too_deep: false,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span.start),
            Err(error) => Err((
                tab(text, error.info(), error.marker()).map_or_else(
                    || builder.span(error.marker()),
                    |(line, column)| Span { file, line, column },
                ),
                format!("this is not YAML: {}", error.info()),
                "look at the indentation and quotes of this line and the one before it",
            )),
        };
        if let Err((span, message, help)) = taken {
            let code = if builder.is_too_deep {
                Code::TOO_DEEP
            } else {
                Code::YAML_SYNTAX
            };
            report.error(code, span, message, help);
            return None;
        }
    }
    let start = Span {
        file,
        line: 1,
        column: 1,
    };
    Some(
        builder
            .root
            .take()
            .unwrap_or_else(|| Node::new(Value::Null, start)),
    )
}

/// Where the tab is that is one too many: it is found where the text before it ends.
fn tab(text: &str, message: &str, marker: &Marker) -> Option<(u32, u32)> {
    if !message.contains("tab") {
        return None;
    }
    let first = marker.line().saturating_sub(1);
    let lines = text.lines().enumerate().skip(first).take(2);
    lines.into_iter().find_map(|(number, line)| {
        let indentation = line.len().saturating_sub(line.trim_start().len());
        let column = line.get(..indentation)?.find('\t')?;
        let number = u32::try_from(number.saturating_add(1)).ok()?;
        Some((number, u32::try_from(column.saturating_add(1)).ok()?))
    })
}

type Refusal = (Span, String, &'static str);

struct Builder<'r> {
    file: usize,
    report: &'r mut Report,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
    copied: usize,
    remembered: usize,
    documents: usize,
    is_too_deep: bool,
}

struct Open {
    content: Content,
    span: Span,
    anchor: usize,
    nodes_before: usize,
}

enum Content {
    List(Vec<Node>),
    Table {
        entries: Entries,
        key: Option<Key>,
        merged: Vec<Node>,
    },
}

impl Builder<'_> {
    fn span(&self, marker: &Marker) -> Span {
        Span {
            file: self.file,
            line: u32::try_from(marker.line()).unwrap_or(u32::MAX),
            column: u32::try_from(marker.col().saturating_add(1)).unwrap_or(u32::MAX),
        }
    }

    fn take(&mut self, event: Event<'_>, marker: Marker) -> Result<(), Refusal> {
        let span = self.span(&marker);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    return Err((
                        span,
                        "a second document begins here".to_owned(),
                        "a file holds one document; take out the `---`, or put what follows into a file of its own",
                    ));
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err((
                        span,
                        "this alias stands inside of what it means".to_owned(),
                        "write the value out instead of the alias",
                    ));
                };
                self.count(size);
                self.copy(size, span)?;
                self.place(node, span)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_ref(), span)?;
                let mut node = Node::new(value, span);
                node.style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                self.count(1);
                self.remember(anchor, &node, 1)?;
                if let Some(Open {
                    content:
                        Content::Table {
                            key: key @ None, ..
                        },
                    ..
                }) = self.open.last_mut()
                {
                    *key = Some(Key {
                        name: text.into_owned(),
                        span,
                    });
                    return Ok(());
                }
                self.place(node, span)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_ref(), "seq", span)?;
                self.open(Content::List(Vec::new()), span, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_ref(), "map", span)?;
                let content = Content::Table {
                    entries: Entries::default(),
                    key: None,
                    merged: Vec::new(),
                };
                self.open(content, span, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn count(&mut self, more: usize) {
        self.nodes = self.nodes.saturating_add(more);
    }

    /// Counts what an alias stands for. What is written out is as long as the file, and no more.
    fn copy(&mut self, more: usize, span: Span) -> Result<(), Refusal> {
        self.copied = self.copied.saturating_add(more);
        if self.copied > MAX_COPIED {
            return Err((
                span,
                format!(
                    "with its aliases put in place this document has more than {MAX_COPIED} values"
                ),
                "aliases of aliases multiply; write the values out",
            ));
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node, size: usize) -> Result<(), Refusal> {
        if anchor > 0 {
            self.remembered = self.remembered.saturating_add(size);
            if self.remembered > MAX_REMEMBERED {
                return Err((
                    node.span,
                    format!(
                        "the anchors of this document stand for more than {MAX_REMEMBERED} values"
                    ),
                    "an anchor in another counts again; take out those that no alias needs",
                ));
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(())
    }

    fn open(&mut self, content: Content, span: Span, anchor: usize) -> Result<(), Refusal> {
        if self.open.len() >= MAX_DEPTH {
            self.is_too_deep = true;
            return Err((
                span,
                format!("this nests deeper than {MAX_DEPTH} levels"),
                "no configuration does; look for a bracket or indentation that is too much",
            ));
        }
        if let Some(Open {
            content: Content::Table { key: None, .. },
            ..
        }) = self.open.last()
        {
            return Err((
                span,
                "a list or a table cannot be a key".to_owned(),
                "a key is a plain text; text that begins with `{` or `[` needs quotes",
            ));
        }
        let nodes_before = self.nodes;
        self.count(1);
        self.open.push(Open {
            content,
            span,
            anchor,
            nodes_before,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Some(closed) = self.open.pop() else {
            return Ok(());
        };
        let value = match closed.content {
            Content::List(items) => Value::List(items),
            Content::Table {
                mut entries,
                merged,
                ..
            } => {
                for source in merged {
                    merge(&mut entries, source)?;
                }
                Value::Table(entries.into_list())
            }
        };
        let node = Node::new(value, closed.span);
        let size = self.nodes.saturating_sub(closed.nodes_before);
        self.remember(closed.anchor, &node, size)?;
        self.place(node, closed.span)
    }

    fn place(&mut self, node: Node, span: Span) -> Result<(), Refusal> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Table {
                entries,
                key,
                merged,
            }) => match key.take() {
                None => {
                    return Err((
                        span,
                        "an alias cannot be a key".to_owned(),
                        "write the key out",
                    ));
                }
                Some(key) if key.name == "<<" => merged.push(node),
                Some(key) => {
                    if let Some(first) = entries.known(&key.name) {
                        duplicate(self.report, first, &key);
                    } else {
                        entries.push(key, node);
                    }
                }
            },
        }
        Ok(())
    }
}

/// Tells that a key stands twice in one table.
pub(super) fn duplicate(report: &mut Report, first: &Key, second: &Key) {
    report.error(
        Code::DUPLICATE_KEY,
        second.span,
        format!("the key `{}` is here a second time", second.name),
        format!(
            "the first one is in line {}; take one of them out",
            first.span.line
        ),
    );
}

fn merge(entries: &mut Entries, source: Node) -> Result<(), Refusal> {
    let span = source.span;
    let sources = match source.value {
        Value::List(items) => items,
        value => vec![Node::new(value, span)],
    };
    for source in sources {
        let Value::Table(more) = source.value else {
            return Err((
                source.span,
                "`<<` merges tables, this is none".to_owned(),
                "put an alias of a table behind `<<:`",
            ));
        };
        for (key, node) in more {
            if entries.known(&key.name).is_none() {
                entries.push(key, node);
            }
        }
    }
    Ok(())
}

fn refuse_tag(tag: Option<&Cow<'_, Tag>>, own: &str, span: Span) -> Result<(), Refusal> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == own) => {
            Err(unknown_tag(tag, span))
        }
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, span: Span) -> Refusal {
    (
        span,
        format!("the tag `{tag}` has no meaning here"),
        "take it out; a text that looks like a number is put in quotes",
    )
}

fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
    span: Span,
) -> Result<Value, Refusal> {
    if let Some(tag) = tag {
        if tag.handle == "!" && tag.suffix.is_empty()
            || tag.is_yaml_core_schema() && tag.suffix == "str"
        {
            return Ok(Value::Text(text.to_owned()));
        }
        let value = plain(text);
        let fits = tag.is_yaml_core_schema()
            && match value {
                Value::Null => tag.suffix == "null",
                Value::Flag(_) => tag.suffix == "bool",
                Value::Number(_) => tag.suffix == "int" || tag.suffix == "float",
                _ => false,
            };
        return if fits {
            Ok(value)
        } else {
            Err(unknown_tag(tag, span))
        };
    }
    if style != ScalarStyle::Plain {
        return Ok(Value::Text(text.to_owned()));
    }
    Ok(plain(text))
}

/// The value of a plain scalar in the core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Flag(true),
        "false" | "False" | "FALSE" => return Value::Flag(false),
        _ => {}
    }
    let radix = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix)
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| i64::from_str_radix(digits, radix).ok())
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Value::Number(number.to_string());
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_infinite =
        matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    let begins_as_number = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if is_infinite || begins_as_number && text.parse::<f64>().is_ok() {
        return Value::Number(text.strip_prefix('+').unwrap_or(text).to_owned());
    }
    Value::Text(text.to_owned())
}

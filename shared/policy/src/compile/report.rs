//! Collects what is found, so that one run tells everything.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::code::Code;
use super::diagnostic::{Diagnostic, Severity};
use super::excerpt::Excerpt;
use super::marks::Marks;
use super::node::{Node, Span, Style};
use super::secret::{self, Hidden};
use super::source;

/// The files that were read and what was found in them.
#[derive(Debug, Default)]
pub(super) struct Report {
    files: Vec<File>,
    found: Vec<(Span, Diagnostic)>,
    told: HashSet<Told>,
    /// Credentials, by file and line.
    hidden: BTreeMap<Span, Hidden>,
    rule: Option<(String, usize)>,
    /// Bytes of findings.
    kept: usize,
    errors: usize,
}

/// So many bytes of lines are looked at for excerpts, of all findings together.
const MAX_LOOKED_AT: usize = 256 << 20;

/// A message and a help have so many characters at most: some repeat what was written.
const MAX_TEXT: usize = 2_000;

/// A rule's name has so many, as it stands before each of its findings.
const MAX_RULE: usize = 200;

/// So many bytes of findings are kept, which is about a million of them. Nobody reads more.
const MAX_KEPT: usize = 512 << 20;

/// What a finding takes besides its texts.
const FINDING: usize = 400;

/// What makes a finding the same as another.
type Told = (Span, Severity, Option<String>, String);

#[derive(Debug)]
struct File {
    name: String,
    text: String,
    /// Made when the first place inside of a text is looked for.
    marks: OnceCell<Marks>,
}

impl Report {
    /// Takes in a file; what is returned goes into the spans of its nodes.
    pub(super) fn add_file(&mut self, name: &str, text: &str) -> usize {
        self.files.push(File {
            name: name.to_owned(),
            text: source::plain(text).into_owned(),
            marks: OnceCell::new(),
        });
        self.files.len().saturating_sub(1)
    }

    /// What follows is found in this rule, as far as it stands in the rule's own file.
    pub(super) fn enter_rule(&mut self, id: &str, span: Span) {
        let mut id = id.to_owned();
        shorten(&mut id, MAX_RULE);
        self.rule = Some((id, span.file));
    }

    /// Nothing that is told shows this value.
    pub(super) fn hide(&mut self, node: &Node) {
        if let Some(hidden) = Hidden::of(node) {
            self.hidden.insert(node.span, hidden);
        }
    }

    /// ` in rule "…"` for a place in another file than the rule's own.
    pub(super) fn elsewhere(&self, span: Span) -> String {
        match &self.rule {
            Some((id, file)) if *file != span.file => format!(" in rule \"{id}\""),
            _ => String::new(),
        }
    }

    pub(super) fn is_in_rule(&self) -> bool {
        self.rule.is_some()
    }

    /// What follows belongs to no rule.
    pub(super) fn leave_rule(&mut self) {
        self.rule = None;
    }

    pub(super) fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, code, span, message.into(), help.into());
    }

    pub(super) fn warning(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, span, message.into(), help.into());
    }

    pub(super) fn note(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Note, code, span, message.into(), help.into());
    }

    pub(super) fn hint(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Hint, code, span, message.into(), help.into());
    }

    /// A point to look back to.
    pub(super) fn mark(&self) -> usize {
        self.found.len()
    }

    /// Whether errors were found since a mark.
    pub(super) fn failed_since(&self, mark: usize) -> bool {
        self.found
            .iter()
            .skip(mark)
            .any(|(_, diagnostic)| diagnostic.severity == Severity::Error)
    }

    /// Makes warnings of the errors found since a mark, because Oathkeeper starts with them.
    pub(super) fn soften(&mut self, mark: usize) {
        for (_, diagnostic) in self.found.iter_mut().skip(mark) {
            if diagnostic.severity == Severity::Error {
                diagnostic.severity = Severity::Warning;
                self.errors = self.errors.saturating_sub(1);
            }
        }
    }

    fn add(&mut self, severity: Severity, code: Code, span: Span, message: String, help: String) {
        // Whether anything is built depends on an error.
        if self.kept > MAX_KEPT && (severity != Severity::Error || self.errors > 0) {
            return;
        }
        let rule = self
            .rule
            .as_ref()
            .filter(|(_, file)| *file == span.file)
            .map(|(id, _)| id.clone());
        let diagnostic = Diagnostic {
            severity,
            code,
            file: self.name(span.file).to_owned(),
            line: span.line,
            column: span.column,
            rule,
            message,
            help,
            excerpt: None,
        };
        // A handler's global configuration is read once for every rule that uses it.
        let told = (
            span,
            severity,
            diagnostic.rule.clone(),
            diagnostic.message.clone(),
        );
        if self.told.insert(told) {
            // Each message is kept twice.
            let texts = [&diagnostic.message, &diagnostic.message, &diagnostic.help];
            let bytes = texts.iter().map(|text| text.len()).sum::<usize>();
            self.kept = self.kept.saturating_add(bytes).saturating_add(FINDING);
            let is_error = severity == Severity::Error;
            self.errors = self.errors.saturating_add(usize::from(is_error));
            self.found.push((span, diagnostic));
        }
    }

    pub(super) fn name(&self, file: usize) -> &str {
        self.files
            .get(file)
            .map(|file| file.name.as_str())
            .unwrap_or_default()
    }

    /// `file:line` of a place, to point at it from another.
    pub(super) fn place(&self, span: Span) -> String {
        format!("{}:{}", self.name(span.file), span.line)
    }

    /// What could not be built must have been told; nothing is ever left out in silence.
    pub(super) fn incomplete(&mut self, span: Span) {
        if self.errors == 0 {
            self.error(
                Code::INTERNAL,
                span,
                "this cannot be built, and it is not known why",
                "that is a mistake in edgekeeper; please report it with this part of the file",
            );
        }
    }

    /// The place of a byte inside a text value.
    pub(super) fn inside(&self, node: &Node, offset: usize) -> Span {
        let (Some(file), Some(value)) = (self.files.get(node.span.file), node.text()) else {
            return node.span;
        };
        let before = value.get(..offset).unwrap_or(value);
        let marks = file.marks.get_or_init(|| Marks::of(&file.text));
        inside(&file.text, marks, node, before).unwrap_or(node.span)
    }

    /// What was found, by file and place; whether there is an error among it.
    pub(super) fn finish(self) -> (Vec<Diagnostic>, bool) {
        let mut found = self.found;
        found.sort_by_key(|(span, _)| *span);
        let mut lines = Vec::new();
        let mut hidden = BTreeMap::new();
        let mut lines_of = None;
        let mut looked_at = 0_usize;
        for (span, diagnostic) in &mut found {
            if lines_of != Some(span.file) {
                lines_of = Some(span.file);
                let text = self.files.get(span.file).map(|file| file.text.as_str());
                lines = text.unwrap_or_default().lines().collect();
                hidden = hidden_lines(&self.hidden, span.file, &lines);
            }
            let Some(index) = usize::try_from(span.line)
                .ok()
                .and_then(|line| line.checked_sub(1))
            else {
                continue;
            };
            let of_line = hidden.get(&index);
            for (value, _) in near(of_line, span.column) {
                value.mask_in(&mut diagnostic.message);
                value.mask_in(&mut diagnostic.help);
            }
            let line = lines.get(index);
            // Thousands of findings in one line of megabytes: the first are shown with it.
            looked_at = looked_at.saturating_add(line.map_or(0, |line| line.len()));
            diagnostic.excerpt = line.filter(|_| looked_at < MAX_LOOKED_AT).map(|line| {
                let known = near(of_line, span.column).map(|(_, range)| range.clone());
                let (line, column) = secret::mask(line, &known.collect::<Vec<_>>(), span.column);
                Excerpt::of(&line, column)
            });
        }
        for (_, diagnostic) in &mut found {
            shorten(&mut diagnostic.message, MAX_TEXT);
            shorten(&mut diagnostic.help, MAX_TEXT);
        }
        let failed = found
            .iter()
            .any(|(_, diagnostic)| diagnostic.severity == Severity::Error);
        (
            found
                .into_iter()
                .map(|(_, diagnostic)| diagnostic)
                .collect(),
            failed,
        )
    }
}

/// Cuts a text that repeats megabytes of a file.
fn shorten(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

/// What is hidden near of a column, from 1: as much of a line as is shown.
fn near<'h, 'l: 'h>(
    hidden: Option<&'l Vec<(&'h Hidden, Range<usize>)>>,
    column: u32,
) -> impl Iterator<Item = &'l (&'h Hidden, Range<usize>)> {
    let shown = secret::shown(column);
    hidden
        .into_iter()
        .flatten()
        .filter(move |(_, range)| range.start < shown.end && shown.start < range.end.max(1))
}

/// What is hidden in each line of a file, by the line's index.
fn hidden_lines<'h>(
    hidden: &'h BTreeMap<Span, Hidden>,
    file: usize,
    lines: &[&str],
) -> BTreeMap<usize, Vec<(&'h Hidden, Range<usize>)>> {
    let place = |file, line| Span {
        file,
        line,
        column: 0,
    };
    let mut found: BTreeMap<usize, Vec<(&Hidden, Range<usize>)>> = BTreeMap::new();
    let of_file = hidden.range(place(file, 0)..place(file.saturating_add(1), 0));
    for (_, value) in of_file {
        for (line, range) in value.ranges(lines) {
            found.entry(line).or_default().push((value, range));
        }
    }
    found
}

/// Finds in a file where `before`, the beginning of a text value, ends.
fn inside(file: &str, marks: &Marks, node: &Node, before: &str) -> Option<Span> {
    let line_index = usize::try_from(node.span.line).ok()?.checked_sub(1)?;
    let column_index = usize::try_from(node.span.column).ok()?.checked_sub(1)?;
    let wanted = before.chars().count();
    let span = |line: usize, column: usize| {
        Some(Span {
            file: node.span.file,
            line: u32::try_from(line.checked_add(1)?).ok()?,
            column: u32::try_from(column.checked_add(1)?).ok()?,
        })
    };
    match node.style {
        Style::Literal => {
            let last = before.rsplit('\n').next().unwrap_or_default();
            // The indicator stands on the line before the first line of the block.
            let first = match marks.from(file, line_index, 0)?.lines().next() {
                Some(line) if line.trim_end().chars().skip(column_index).any(|c| c == '|') => {
                    line_index.checked_add(1)?
                }
                _ => line_index,
            };
            let line_index = first.checked_add(before.matches('\n').count())?;
            let line = marks.from(file, line_index, 0)?.lines().next()?;
            let indentation = marks
                .from(file, first, 0)?
                .lines()
                .find(|line| !line.trim().is_empty())
                .map_or(0, |line| line.chars().take_while(|c| *c == ' ').count());
            let column = indentation.checked_add(last.chars().count())?;
            span(line_index, column.min(line.chars().count()))
        }
        Style::Folded => None,
        Style::Plain | Style::Switch => span(line_index, column_index.checked_add(wanted)?),
        Style::SingleQuoted | Style::DoubleQuoted => {
            let mut column = column_index.checked_add(1)?;
            let mut raw = marks
                .from(file, line_index, column)?
                .chars()
                .take_while(|c| !"\r\n".contains(*c));
            for _ in 0..wanted {
                column = column.checked_add(escaped_width(node.style, &mut raw)?)?;
            }
            span(line_index, column)
        }
    }
}

/// How many characters of a quoted text one character of its value takes; takes them.
fn escaped_width(style: Style, raw: &mut impl Iterator<Item = char>) -> Option<usize> {
    match (style, raw.next()?) {
        (Style::SingleQuoted, '\'') => raw.next().map(|_| 2),
        (Style::DoubleQuoted, '\\') => {
            let more = match raw.next()? {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            for _ in 0..more {
                raw.next()?;
            }
            Some(2_usize.saturating_add(more))
        }
        _ => Some(1),
    }
}

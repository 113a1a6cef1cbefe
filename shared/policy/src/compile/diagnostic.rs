//! What is wrong with an operator's file, and what to do about it.

use std::fmt;

use super::code::Code;
use super::excerpt::Excerpt;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// It is built, and probably not what was meant.
    Warning,
    /// It is built and works; there is a simpler way, or Oathkeeper would do otherwise.
    Note,
    /// Nothing is wrong with it; worth knowing once, when it is built.
    Hint,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Hint => "hint",
        })
    }
}

/// One finding, at its place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// Which kind of finding it is.
    pub code: Code,
    /// The file as it was named or found.
    pub file: String,
    /// Line, from 1; 0 when it is about the file as a whole.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The access rule it is in.
    pub rule: Option<String>,
    /// What was found.
    pub message: String,
    /// What is allowed, or what to do; may be empty.
    pub help: String,
    /// The line of the file, to show beside it.
    pub excerpt: Option<Excerpt>,
}

impl Diagnostic {
    /// What was found, with the rule it is in. As it stands in the file: [`printable`] makes it fit to be shown.
    pub fn headline(&self) -> String {
        match &self.rule {
            Some(rule) => format!("rule \"{rule}\": {}", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}[{}]: ", self.severity, self.code)?;
        f.write_str(&printable(&self.headline()))?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", printable(&self.help))?;
        }
        Ok(())
    }
}

/// A text from a file, so that it does not steer the terminal it is shown on.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_compiler_message() {
        let mut diagnostic = Diagnostic {
            severity: Severity::Error,
            code: Code::MISSING_KEY,
            file: "rules.json".to_owned(),
            line: 12,
            column: 9,
            rule: Some("web:api".to_owned()),
            message: "no `id`".to_owned(),
            help: "give it one".to_owned(),
            excerpt: None,
        };
        assert_eq!(
            diagnostic.to_string(),
            "rules.json:12:9: error[missing-key]: rule \"web:api\": no `id`\n  help: give it one"
        );
        diagnostic.line = 0;
        diagnostic.rule = None;
        diagnostic.help = String::new();
        assert_eq!(
            diagnostic.to_string(),
            "rules.json: error[missing-key]: no `id`"
        );
    }
}

//! Where lines go: what is for people gives way to a document on standard output.

use clap::ValueEnum;
use serde_json::Value;

use crate::files;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// One document: docs/push.md
    Json,
}

impl Format {
    /// Tells people something.
    pub(super) fn say(self, text: &str) {
        let text = text.trim_end_matches('\n');
        match self {
            Self::Human => files::print(text),
            Self::Json => eprintln!("{text}"),
        }
    }

    /// Tells a part of the story, after its name.
    pub(super) fn tell(self, name: &str, text: &str) {
        self.say(&format!("{name:<10}{text}"));
    }

    /// The document, at the end.
    pub(super) fn document(self, document: &Value) {
        if self == Self::Json {
            files::print(&format!("{document:#}"));
        }
    }
}

//! Workers KV, by Cloudflare's own tool, which knows the account.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use edgekeeper_policy::compile::printable;

use super::entries::Store;
use crate::files;

/// More lines of another program's error nobody reads.
const MOST_LINES: usize = 12;

pub(super) struct Wrangler {
    binding: String,
    local: bool,
}

impl Wrangler {
    pub(super) fn new(binding: &str, local: bool) -> Self {
        Self {
            binding: binding.to_owned(),
            local,
        }
    }

    fn run(&self, action: &str, name: &str, more: &[&str]) -> Result<Output, String> {
        let mut command = Command::new("npx");
        command.args([
            "wrangler",
            "kv",
            "key",
            action,
            name,
            "--binding",
            &self.binding,
        ]);
        // Without it a namespace with a second id for previews is refused.
        command
            .args(["--preview", "false", self.place()])
            .args(more);
        command
            .stdin(Stdio::null())
            .env("NO_COLOR", "1")
            .env("WRANGLER_SEND_METRICS", "false");
        command.output().map_err(|error| {
            format!(
                "error: `npx` cannot be started: {}\n  help: install Node.js and, in this folder, wrangler: `npm install --save-dev wrangler`",
                files::reason(&error)
            )
        })
    }

    fn place(&self) -> &'static str {
        if self.local { "--local" } else { "--remote" }
    }

    fn failed(&self, action: &str, name: &str, output: &Output) -> String {
        let told =
            [output.stderr.as_slice(), output.stdout.as_slice()].map(String::from_utf8_lossy);
        let lines = told.iter().flat_map(|text| text.lines());
        let lines = lines
            .map(plain)
            .filter(|line| !line.trim().is_empty() && !line.contains("Logs were written to"));
        let lines: Vec<String> = lines
            .take(MOST_LINES)
            .map(|line| format!("  {line}"))
            .collect();
        let what = if action == "put" { "written" } else { "read" };
        format!(
            "error: `{name}` cannot be {what} in Workers KV; `npx wrangler kv key {action}` says:\n{}\n  help: run this where wrangler.toml has the binding {}, and be logged in (`npx wrangler login`, or CLOUDFLARE_API_TOKEN)",
            lines.join("\n"),
            self.binding
        )
    }
}

impl Store for Wrangler {
    fn shown(&self) -> String {
        let place = if self.local { ", on this machine" } else { "" };
        format!("Workers KV (binding {}{place})", self.binding)
    }

    fn is_slow(&self) -> bool {
        !self.local
    }

    fn get(&self, name: &str) -> Result<Option<String>, String> {
        let output = self.run("get", name, &[])?;
        if !output.status.success() {
            let streams = [&output.stderr, &output.stdout];
            let told: String = streams.map(|bytes| String::from_utf8_lossy(bytes)).concat();
            // How wrangler tells of an entry that is not there, when it asks Cloudflare.
            let is_missing = told.contains("404: Not Found") && told.contains("/values/");
            return if is_missing {
                Ok(None)
            } else {
                Err(self.failed("get", name, &output))
            };
        }
        let value = String::from_utf8(output.stdout).map_err(|_| {
            format!(
                "error: the entry `{name}` in Workers KV is not text; take it off and push anew"
            )
        })?;
        // And how, when it looks on this machine. No entry of a policy reads like this.
        Ok(Some(value).filter(|value| value.trim() != "Value not found"))
    }

    fn put(&self, name: &str, value: &str) -> Result<(), String> {
        let file = Temporary::new(value)?;
        let path = file.0.to_string_lossy().into_owned();
        let output = self.run("put", name, &["--path", &path])?;
        if output.status.success() {
            Ok(())
        } else {
            Err(self.failed("put", name, &output))
        }
    }

    fn delete(&self, name: &str) {
        // One that stays is in nobody's way.
        drop(self.run("delete", name, &[]));
    }
}

/// A file for as long as it is needed: a document can be longer than an argument may be.
struct Temporary(PathBuf);

impl Temporary {
    fn new(content: &str) -> Result<Self, String> {
        let mut random = [0; 8];
        crate::keys::random(&mut random)?;
        let name = format!("edgekeeper-{:016x}", u64::from_be_bytes(random));
        let path = env::temp_dir().join(name);
        files::write(&path, content.as_bytes(), 0o600)?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// A line of another program without its colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        rest = end
            .and_then(|end| after.get(end.saturating_add(1)..))
            .unwrap_or_default();
    }
    text.push_str(rest);
    printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_off_what_another_program_says() {
        for (line, expected) in [
            ("plain", "plain"),
            (
                "\u{1b}[31mX \u{1b}[41;31m[ERROR]\u{1b}[0m gone",
                "X [ERROR] gone",
            ),
            ("cut \u{1b}[3", "cut "),
        ] {
            assert_eq!(plain(line), expected);
        }
    }
}

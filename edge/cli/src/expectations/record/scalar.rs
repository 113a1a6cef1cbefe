//! Texts as YAML has them.

/// What YAML reads as something else than a text, in one of its versions.
const OTHERS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];

/// A text, in quotes unless it needs none, also within `{ … }`.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" -_./:@%=+;~".contains(&byte))
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str())
        && text.len() > 1;
    if is_plain {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        // JSON's texts are YAML's.
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use edgekeeper_policy::compile::{Content, Tree};

    use super::*;

    #[test]
    fn a_text_is_read_as_what_it_was() {
        for text in [
            "web",
            "web:api",
            "GET https://a.test/b?c#d",
            "no",
            "n",
            "Null",
            "1",
            "1e3",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "a, b",
            "{a}",
            "[a",
            "'a'",
            "\"a\"",
            "",
            " a",
            "a ",
            "*a",
            "&a",
            "!a",
            "|",
            "a\nb",
            "a\u{1b}b",
            "é",
            "~",
            "a\tb",
            "\u{85}",
            "\u{2028}",
            "%a",
            "@a",
            "`a",
        ] {
            let written = scalar(text);
            for document in [
                format!("x: {{ k: {written} }}\n"),
                format!("x:\n  k: {written}\n"),
            ] {
                let tree = Tree::read("x", &document).unwrap();
                let Content::Table(outer) = &tree.content else {
                    panic!("{document}");
                };
                let Content::Table(entries) = &outer[0].2.content else {
                    panic!("{document}");
                };
                let Content::Text(read) = &entries[0].2.content else {
                    panic!("{document}");
                };
                assert_eq!(read, text, "{document}");
            }
        }
        assert_eq!(scalar("GET https://a.test/b"), "GET https://a.test/b");
    }
}

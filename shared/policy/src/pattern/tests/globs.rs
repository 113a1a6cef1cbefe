//! Globs, among them what the original does and nobody would expect. Compared at large in `tests/originals/patterns`.

use super::super::{DEFAULT_BUDGET, Pattern, Unmatched, compile_glob, compile_glob_strict};

fn matches(pattern: &str, text: &str) -> bool {
    let pattern = compile_glob(pattern).unwrap();
    pattern.find(text, DEFAULT_BUDGET).unwrap().is_some()
}

#[test]
fn wildcards_classes_and_alternatives() {
    for (pattern, text, expected) in [
        ("http://g/<*>", "http://g/ab", true),
        ("http://g/<*>", "http://g/", true),
        ("http://g/<*>", "http://g/a.b", false),
        ("http://g/<*>", "http://g/a/b", false),
        ("http://g/<**>", "http://g/a/b.c", true),
        ("http://g/<?>", "http://g/ž", true),
        ("http://g/<?>", "http://g/", false),
        ("http://g/<?>", "http://g/.", false),
        ("http://g/<[abc]>", "http://g/b", true),
        ("http://g/<[!abc]>", "http://g/b", false),
        ("http://g/<[a-c]>", "http://g/b", true),
        ("http://g/<{foo,bar*}>", "http://g/barbar", true),
        ("http://g/<{foo,bar*}>", "http://g/foos", false),
        ("http://g/<{a,b>", "http://g/b", true),
        ("http://g/<a\\*>", "http://g/a*", true),
        ("http://g/*", "http://g/x", false),
        ("http://<*>.sub.test/x", "http://.sub.test/x", true),
        ("http://G/<*>", "http://g/x", true),
        ("http://<*>.SUB.test/X", "http://a.sub.test/X", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn what_the_original_makes_of_some() {
    for (pattern, text, expected) in [
        // What stands before and after `**` may overlap.
        ("http://g/api/<**>/x", "http://g/api/x", true),
        // The separators are looked for as one text.
        ("http://g/<*?>", "http://g/a/b", true),
        ("http://g/<*?>", "http://g/a./b", false),
        // A list in brackets that nothing stands for.
        ("<[!a]>", "", true),
        // A row is cut behind the first byte of a character.
        ("http://g/<[ab]>ž", "http://g/až", false),
        // The first alternative with a length speaks for those without one.
        ("http://g/<{*,abc}{x,y}>", "http://g/abx", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn captures_nothing() {
    let pattern = compile_glob("http://g/<*>/<*>").unwrap();
    let found = pattern.find("http://g/a/b", DEFAULT_BUDGET).unwrap();
    assert!(found.unwrap().is_empty());
}

#[test]
fn refuses_with_the_words_of_the_original() {
    for (pattern, original) in [
        ("http://g/<", "unbalanced pattern"),
        ("http://g/<[>", "unexpected end of input"),
        ("http://g/<[]>", "could not parse range"),
        ("http://g/<[a-bc]>", "expected close range character"),
        (
            "http://g/<[b-a]>",
            "hi character 'a' should be greater than lo 'b'",
        ),
    ] {
        let error = compile_glob(pattern).unwrap_err();
        assert_eq!(error.original.as_deref(), Some(original), "{pattern}");
        let broken = compile_glob_strict(pattern).unwrap();
        assert_eq!(broken.broken(), Some(original));
        assert_eq!(
            broken.find("http://g/", DEFAULT_BUDGET),
            Err(Unmatched::Broken)
        );
    }
    let long = format!("<{}>", "*?".repeat(200));
    assert!(
        compile_glob(&long)
            .unwrap_err()
            .message
            .contains("200 parts")
    );
}

#[test]
fn a_document_carries_every_glob_and_no_damaged_one() {
    for pattern in [
        "http://g/<{a*,b,[!c]}>/<**>x<[a-b]?>",
        "<*><**>",
        "<**a**>",
        "<a**>",
        "http://<{a,ab}*>",
    ] {
        let pattern = compile_glob(pattern).unwrap();
        let json = serde_json::to_string(&pattern).unwrap();
        assert_eq!(
            serde_json::from_str::<Pattern>(&json).unwrap(),
            pattern,
            "{json}"
        );
    }
    let deep = format!("[\"*\"{}]", ",\"(1\"".repeat(400));
    for code in [
        "[]",
        r#"["t"]"#,
        r#"["(1"]"#,
        r#"["*","*"]"#,
        r#"["q"]"#,
        r#"["&9,a"]"#,
        r#"["&1,a"]"#,
        r#"["-a"]"#,
        &deep,
    ] {
        let json = format!(r#"{{"source":"x","glob":{code}}}"#);
        let error = serde_json::from_str::<Pattern>(&json).unwrap_err();
        assert!(
            error.to_string().contains("build the policy again"),
            "{error}"
        );
    }
}

#[test]
fn globs_cannot_be_made_slow() {
    let pattern = compile_glob(&format!("<{}b>", "**a".repeat(30))).unwrap();
    let text = "a".repeat(2000);
    let found = pattern.find(&text, DEFAULT_BUDGET);
    assert!(!matches!(found, Ok(Some(_))), "{found:?}");
}

//! The path language against facts of gjson v1.18.0, the version that Oathkeeper v26.2.0 uses.
//!
//! `facts.jsonl` holds what `gjson.GetBytes` found for each path in `document.json`: `[path, value]`, or `[path]` if
//! it found nothing. The keys in the document are in alphabetical order where a wildcard goes over them.

use serde_json::{Value, json};

use super::GjsonPath;

fn document() -> Value {
    serde_json::from_str(include_str!("document.json")).unwrap()
}

#[test]
fn finds_what_gjson_finds() {
    let document = document();
    let mut wrong = Vec::new();
    for line in include_str!("facts.jsonl").lines() {
        let fact: Vec<Value> = serde_json::from_str(line).unwrap();
        let text = fact[0].as_str().unwrap();
        let path = GjsonPath::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = path.eval(&document);
        if found.as_deref() != fact.get(1) {
            wrong.push(format!(
                "{text}: found {found:?}, gjson has {:?}",
                fact.get(1)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn golden_whoami_paths() {
    let session = json!({
        "subject": "alice",
        "extra": {"roles": ["dev", "ops"], "big": 12_345_678_901_u64, "none": null},
    });
    for (path, expected) in [
        ("subject", Some(json!("alice"))),
        ("extra.roles.0", Some(json!("dev"))),
        ("extra.roles.#(==\"dev\")", Some(json!("dev"))),
        ("extra.none", Some(Value::Null)),
        ("no.such", None),
        ("@this", Some(session.clone())),
    ] {
        let found = GjsonPath::parse(path)
            .unwrap()
            .eval(&session)
            .map(|value| value.into_owned());
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn a_stage_after_a_selection_that_nothing_fits_is_not_reached() {
    let value = json!({"a": [{"b": 1}]});
    for (path, expected) in [
        ("a.#(b==2)#.b|#", Some(json!([]))),
        ("a.#(b==2)#.b|0", Some(json!([]))),
        // Something fits, or nothing is taken from what fits.
        ("a.#(b==1)#.c|#", Some(json!(0))),
        ("a.#(b==2)#|#", Some(json!(0))),
        ("a.#(b==2)#|0", None),
    ] {
        let found = GjsonPath::parse(path).unwrap().eval(&value);
        assert_eq!(found.map(|found| found.into_owned()), expected, "{path}");
    }
}

#[test]
fn a_bar_after_a_count_of_each_belongs_to_each() {
    let value = json!([{"a": [1, 2]}, {"a": [3]}]);
    for (path, expected) in [
        ("#.a.#", Some(json!([2, 1]))),
        ("#.a.#|0", Some(json!([]))),
        ("#.a.#|0|0", None),
        ("#.a|0", Some(json!([1, 2]))),
        ("#.#|0", None),
    ] {
        let found = GjsonPath::parse(path).unwrap().eval(&value);
        assert_eq!(found.map(|found| found.into_owned()), expected, "{path}");
    }
}

#[test]
fn a_scalar_document_has_only_itself() {
    let text = json!("{\"a\":1}");
    assert_eq!(GjsonPath::parse("a").unwrap().eval(&text), None);
    assert_eq!(
        GjsonPath::parse("@this").unwrap().eval(&text).as_deref(),
        Some(&text)
    );
}

#[test]
fn refuses_what_it_does_not_do_by_name() {
    for (path, offset, part) in [
        ("", 0, "empty"),
        ("@reverse", 0, "@reverse"),
        ("a.@pretty", 2, "@pretty"),
        ("a|@keys", 2, "@keys"),
        ("a.#.@flatten", 4, "@flatten"),
        ("@this:x", 0, "@this"),
        ("{a,b}", 0, "multipaths"),
        ("a.[b,c]", 2, "multipaths"),
        ("..0.a", 0, "JSON lines"),
        ("!\"x\"", 0, "literals"),
        ("a\\", 1, "backslash"),
        ("a.#(b==1", 2, "never closed"),
        ("a.#(b==\"x)", 2, "never closed"),
        ("a.#(b==1)c", 9, "comes `.`"),
        ("a.#(b!1)", 2, "comparison"),
        ("a.#(b==\"\\q\")", 2, "escape"),
        ("a.#(@keys==\"x\")", 4, "@keys"),
        ("a.#( @keys.x)", 5, "@keys"),
    ] {
        let error = GjsonPath::parse(path).unwrap_err();
        assert_eq!(error.offset, offset, "{path}: {error}");
        assert!(error.message.contains(part), "{path}: {error}");
    }
}

#[test]
fn escapes_make_keys_of_anything() {
    let value = json!({"@reverse": 1, "{a}": 2, "a|b": 3, "!x": 4, "a\\b": 5});
    for (path, expected) in [
        ("\\@reverse", 1),
        ("\\{a}", 2),
        ("a\\|b", 3),
        ("\\!x", 4),
        ("a\\\\b", 5),
    ] {
        let found = GjsonPath::parse(path)
            .unwrap()
            .eval(&value)
            .map(|value| value.into_owned());
        assert_eq!(found, Some(json!(expected)), "{path}");
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    assert!(
        GjsonPath::parse(&"#.".repeat(40))
            .unwrap_err()
            .message
            .contains("nested")
    );
    let queries = format!("{}a{}", "#(".repeat(40), ")".repeat(40));
    assert!(
        GjsonPath::parse(&queries)
            .unwrap_err()
            .message
            .contains("nested")
    );
    assert!(
        GjsonPath::parse(&"a".repeat(5000))
            .unwrap_err()
            .message
            .contains("4096")
    );
}

#[test]
fn wildcards_cannot_be_made_slow() {
    let value = json!([{"a": "a".repeat(100_000)}]);
    let path = GjsonPath::parse("#(a%\"*a*a*a*a*a*a*a*b\")").unwrap();
    assert_eq!(path.eval(&value), None);
}

#[test]
fn any_text_is_read_or_refused_without_panic() {
    let alphabet = [
        "a", "0", ".", "|", "#", "(", ")", "=", "\"", "\\", "*", "@this", "!", "ž", "~",
    ];
    let document = document();
    let mut state = 7_u32;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(alphabet[(state >> 16) as usize % alphabet.len()]);
        }
        if let Ok(path) = GjsonPath::parse(&text) {
            let _ = path.eval(&document);
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<GjsonPath>(&json).unwrap(), path);
        }
    }
}

#[test]
fn a_document_with_a_bad_path_is_refused() {
    let error = serde_json::from_str::<GjsonPath>("\"a.@reverse\"")
        .unwrap_err()
        .to_string();
    assert!(error.contains("@reverse"), "{error}");
}

#[test]
fn the_default_for_emails_is_what_its_text_says() {
    assert_eq!(
        GjsonPath::default_email(),
        GjsonPath::parse("identity.traits.email").unwrap()
    );
}

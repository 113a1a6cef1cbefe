use serde_json::json;

use super::*;

fn sealer() -> Sealer {
    Sealer::for_policies(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn version(document: &str) -> Option<Version> {
    Some(Version::of(document))
}

/// Something sealed as the entry is.
fn sealed(inside: &Value) -> String {
    let sealed = sealer().seal(CURRENT.as_bytes(), [1; 24], inside.to_string().as_bytes());
    let sealed = URL_SAFE_NO_PAD.encode(sealed.unwrap());
    json!({ "format": 1, "sealed": sealed }).to_string()
}

#[test]
fn what_was_sealed_is_read() {
    let mut current = Current::default();
    for (version, at) in [(version("a"), 10), (None, 20), (version("b"), 30)] {
        current = current.followed_by(version, at);
    }
    let entry = current.seal(&sealer(), [7; 24]).unwrap();
    assert_eq!(Current::open(&sealer(), &entry), Ok(current.clone()));
    assert_eq!(current.in_force.number, 3);
    assert_eq!(current.in_force.version, version("b"));
    let numbers: Vec<u64> = current.history.iter().map(|change| change.number).collect();
    assert_eq!(numbers, [2, 1], "newest first, without the deploy");
}

#[test]
fn the_entry_is_one_line_that_does_not_tell_the_version() {
    let current = Current::default().followed_by(version("a"), 10);
    let entry = current.seal(&sealer(), [7; 24]).unwrap();
    assert!(entry.starts_with(r#"{"format":1,"sealed":""#), "{entry}");
    assert!(!entry.contains(Version::of("a").short()) && !entry.contains('\n'));
}

#[test]
fn twenty_earlier_changes_are_kept_and_what_falls_out_is_named() {
    let mut current = Current::default();
    for number in 1..=21 {
        let next = current.followed_by(version(&number.to_string()), number);
        assert_eq!(next.dropped(&current), [], "{number}");
        current = next;
    }
    assert_eq!(current.history.len(), LONGEST_HISTORY);
    let next = current.followed_by(version("22"), 22);
    assert_eq!(next.history.len(), LONGEST_HISTORY);
    assert_eq!(next.dropped(&current), [Version::of("1")]);
    let again = current.followed_by(version("1"), 22);
    assert_eq!(
        again.dropped(&current),
        [],
        "one that is in force again stays"
    );
}

#[test]
fn every_changed_byte_is_noticed() {
    let current = Current::default().followed_by(version("a"), 10);
    let entry = current.seal(&sealer(), [7; 24]).unwrap();
    for position in 0..entry.len() {
        let mut changed = entry.clone().into_bytes();
        changed[position] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        assert!(Current::open(&sealer(), &changed).is_err(), "{changed}");
    }
}

#[test]
fn what_is_sealed_for_something_else_does_not_open() {
    let current = Current::default().followed_by(version("a"), 10);
    let entry = current.seal(&sealer(), [7; 24]).unwrap();
    let secret = b"0123456789abcdef0123456789abcdef";
    for other in [
        Sealer::new(secret).unwrap(),
        Sealer::for_sessions(secret).unwrap(),
        Sealer::for_policies(b"0123456789abcdef0123456789abcdeF").unwrap(),
    ] {
        assert_eq!(Current::open(&other, &entry), Err(CurrentError::Sealed));
    }
    let moved = sealer().seal(b"policy/other", [1; 24], b"{}").unwrap();
    let moved = json!({ "format": 1, "sealed": URL_SAFE_NO_PAD.encode(moved) }).to_string();
    assert_eq!(Current::open(&sealer(), &moved), Err(CurrentError::Sealed));
}

#[test]
fn what_is_not_an_entry_says_so() {
    for (entry, error) in [
        ("", CurrentError::Entry),
        ("garbage", CurrentError::Entry),
        ("[]", CurrentError::Entry),
        (r#"{"format":1}"#, CurrentError::Entry),
        (r#"{"format":"1","sealed":"AA"}"#, CurrentError::Entry),
        (
            r#"{"format":1,"sealed":"AA","more":1}"#,
            CurrentError::Entry,
        ),
        (
            r#"{"format":1,"format":1,"sealed":"AA"}"#,
            CurrentError::Entry,
        ),
        (r#"{"format":1,"sealed":"AA"}"#, CurrentError::Sealed),
        (r#"{"format":1,"sealed":"!"}"#, CurrentError::Sealed),
        (r#"{"format":2,"sealed":"AA"}"#, CurrentError::Format(2)),
    ] {
        assert_eq!(Current::open(&sealer(), entry), Err(error), "{entry}");
    }
}

#[test]
fn what_opens_is_still_looked_at() {
    let right = json!({
        "format": 1, "number": 1, "version": null, "sha256": null, "at": 1, "history": [],
    });
    assert!(Current::open(&sealer(), &sealed(&right)).is_ok());
    let hash = Version::of("a");
    let other = Version::of("b");
    let many = vec![json!({"number": 1, "version": null, "sha256": null, "at": 1}); 21];
    for (member, value) in [
        ("number", json!(-1)),
        ("number", json!("1")),
        ("at", json!(null)),
        ("version", json!(hash.short())),
        ("sha256", json!(hash.sha256())),
        ("history", json!({})),
        ("history", json!([1])),
        ("history", json!([{}])),
        ("history", json!(many)),
    ] {
        let mut wrong = right.clone();
        wrong[member] = value;
        let opened = Current::open(&sealer(), &sealed(&wrong));
        assert_eq!(opened, Err(CurrentError::Inside), "{wrong}");
    }
    let mut wrong = right.clone();
    wrong["version"] = hash.short().into();
    wrong["sha256"] = other.sha256().into();
    let opened = Current::open(&sealer(), &sealed(&wrong));
    assert_eq!(
        opened,
        Err(CurrentError::Inside),
        "a version of another hash"
    );
    let mut newer = right;
    newer["format"] = 2.into();
    let opened = Current::open(&sealer(), &sealed(&newer));
    assert_eq!(opened, Err(CurrentError::Format(2)));
}

#[test]
fn each_error_says_what_to_do() {
    for (error, text) in [
        (
            CurrentError::Entry,
            "the entry `policy/current` is not one that `edgekeeper push` or the gateway wrote; push a policy anew",
        ),
        (
            CurrentError::Format(2),
            "the entry `policy/current` is written in format 2, this version reads format 1; deploy the version that wrote it, or push a policy anew",
        ),
        (
            CurrentError::Sealed,
            "the entry `policy/current` does not open: it was sealed under another KEYS_SECRET, or it was changed; push a policy anew under the gateway's secret",
        ),
        (
            CurrentError::Inside,
            "the entry `policy/current` opens, but says nothing that can be read; push a policy anew",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

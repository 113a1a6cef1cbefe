use super::*;

const URL: &str = "file:///etc/oathkeeper/id_token.jwks.json";
const DOCUMENT: &str = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#;

fn sealer() -> Sealer {
    Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn entry() -> ImportedEntry {
    ImportedEntry::seal(&sealer(), URL, DOCUMENT, [9; 24]).unwrap()
}

#[test]
fn the_name_is_the_url_s_hash() {
    // `printf %s URL | sha256sum | cut -c1-32`
    assert_eq!(
        entry_name("https://a.example/"),
        "jwks/befde498a45b6c82084a07709548fe6f"
    );
    assert_eq!(entry().name(), entry_name(URL));
    assert_ne!(entry_name("file://./a"), entry_name("file://a"));
}

#[test]
fn an_entry_reads_back_and_opens() {
    let text = entry().to_json().unwrap();
    assert!(
        !text.contains("c2VjcmV0") && text.starts_with(r#"{"format":1,"url":"file:///etc"#),
        "{text}"
    );
    let read = ImportedEntry::parse(&entry().name(), &text).unwrap();
    assert_eq!((&read, read.url()), (&entry(), URL));
    assert_eq!(*read.open(&sealer()).unwrap(), DOCUMENT);
}

#[test]
fn another_secret_and_a_changed_entry_do_not_open() {
    let other = Sealer::new(b"another secret of 32 characters!!").unwrap();
    let said = entry().open(&other).unwrap_err().to_string();
    assert!(
        said.contains("Is KEYS_SECRET the secret it was imported under?"),
        "{said}"
    );
    assert!(
        said.contains(&entry().name()) && !said.contains("another secret"),
        "{said}"
    );
    // The set of one URL under another's name.
    let moved = entry().to_json().unwrap().replace("id_token", "other");
    let name = entry_name(&URL.replace("id_token", "other"));
    let moved = ImportedEntry::parse(&name, &moved).unwrap();
    assert_eq!(
        *moved.open(&sealer()).unwrap_err().problem(),
        ImportedEntryProblem::Sealed
    );
    // One of ours, whose associated data is another.
    let key =
        crate::key::SigningKey::generate(crate::algorithm::Algorithm::EdDsa, &[1; 32]).unwrap();
    let rotation =
        crate::rotation::Rotation::new(crate::rotation::Rotation::DEFAULT_LENGTH, 900).unwrap();
    let own = crate::entry::KeyEntry::seal(&sealer(), &key, rotation, 690, 0, [9; 24]).unwrap();
    let own: serde_json::Value = serde_json::from_str(&own.to_json().unwrap()).unwrap();
    let swapped = serde_json::json!({"format": 1, "url": URL, "sealed": own["sealed"]}).to_string();
    let swapped = ImportedEntry::parse(&entry_name(URL), &swapped).unwrap();
    assert!(swapped.open(&sealer()).is_err());
}

#[test]
fn other_text_is_refused_with_what_is_wrong() {
    let good = entry().to_json().unwrap();
    let cases = [
        (String::new(), "not a stored key set"),
        ("[]".to_owned(), "not a stored key set"),
        (
            good.replace("\"format\":1", "\"format\":2"),
            "written in format 2",
        ),
        (
            good.replace("\"format\":1", "\"format\":\"1\""),
            "\"format\" is missing or not valid",
        ),
        (
            good.replace("\"url\"", "\"uri\""),
            "\"url\" is missing or not valid",
        ),
        (
            good.replace("\"sealed\"", "\"opened\""),
            "\"sealed\" is missing or not valid",
        ),
        (
            good.replace("\"format\":1", "\"format\":1,\"x\":1"),
            "has a member that format 1 does not have",
        ),
        (
            good.replace("id_token", "other"),
            "belongs under another name",
        ),
    ];
    for (text, expected) in cases {
        let error = ImportedEntry::parse(&entry().name(), &text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

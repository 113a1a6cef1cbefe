use super::*;

const PERIOD: u64 = 690;
const NAME: &str = "keys/690";

fn sealer() -> Sealer {
    Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn key(algorithm: Algorithm, byte: u8) -> SigningKey {
    SigningKey::generate(algorithm, &[byte; 32]).unwrap()
}

fn rotation() -> Rotation {
    Rotation::new(Rotation::DEFAULT_LENGTH, 900).unwrap()
}

fn entry(algorithm: Algorithm) -> KeyEntry {
    let key = key(algorithm, 7);
    KeyEntry::seal(&sealer(), &key, rotation(), PERIOD, 1_788_480_000, [9; 24]).unwrap()
}

fn json() -> Map<String, Value> {
    parse_object(&entry(Algorithm::EdDsa).to_json().unwrap()).unwrap()
}

fn parse(object: &Map<String, Value>) -> Result<KeyEntry, EntryError> {
    KeyEntry::parse(NAME, &serde_json::to_string(object).unwrap())
}

#[test]
fn an_entry_reads_back_and_opens() {
    for algorithm in Algorithm::ALL {
        let written = entry(algorithm);
        let read = KeyEntry::parse(NAME, &written.to_json().unwrap()).unwrap();
        assert_eq!(read, written);
        let opened = read.open(&sealer()).unwrap();
        assert_eq!(opened.kid(), key(algorithm, 7).kid());
        assert_eq!(*opened.secret_bytes(), [7; 32]);
    }
}

#[test]
fn the_stored_text_holds_no_private_bytes() {
    let text = entry(Algorithm::EdDsa).to_json().unwrap();
    assert!(!text.contains(&encode(&[7; 32])));
    assert!(text.starts_with(r#"{"format":1,"period":690,"length":2592000,"alg":"EdDSA","kid":""#));
}

#[test]
fn another_secret_names_the_entry_and_asks_about_keys_secret() {
    let other = Sealer::new(b"another secret of 32 characters!!").unwrap();
    let error = entry(Algorithm::EdDsa).open(&other).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("keys/690"), "{said}");
    assert!(
        said.contains("Is KEYS_SECRET the secret this key was written under?"),
        "{said}"
    );
    assert!(!said.contains("another secret of"), "{said}");
}

#[test]
fn an_entry_under_another_name_is_refused() {
    let text = entry(Algorithm::EdDsa).to_json().unwrap();
    for name in ["keys/691", "keys/0690", "keys/", "690", "", "KEYS/690"] {
        let error = KeyEntry::parse(name, &text).unwrap_err();
        assert_eq!(*error.problem(), EntryProblem::Name, "{name}");
        assert_eq!(error.name(), name);
    }
}

#[test]
fn no_member_can_be_edited_without_notice() {
    let other = serde_json::to_value(key(Algorithm::EdDsa, 8).public()).unwrap();
    for (member, value) in [
        ("period", 691.into()),
        ("length", 3_600.into()),
        ("created", 1_788_480_001.into()),
        ("kid", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into()),
        ("alg", "ES256".into()),
        ("public", other.clone()),
    ] {
        let mut edited = json();
        edited.insert(member.to_owned(), value);
        // Under the name that fits, so that only the seal can notice a changed period.
        let name = entry_name(edited["period"].as_u64().unwrap());
        let opened = KeyEntry::parse(&name, &serde_json::to_string(&edited).unwrap())
            .and_then(|entry| entry.open(&sealer()));
        assert!(opened.is_err(), "{member}");
    }
    // A whole other public key with its own kid: the private half must not be taken for it.
    let mut edited = json();
    edited.insert("kid".to_owned(), other["kid"].clone());
    edited.insert("public".to_owned(), other);
    assert!(parse(&edited).unwrap().open(&sealer()).is_err());
}

#[test]
fn f79_a_kid_that_is_not_the_thumbprint_is_refused_even_where_both_agree() {
    let mut edited = json();
    edited.insert("kid".to_owned(), "mine".into());
    assert_eq!(*parse(&edited).unwrap_err().problem(), EntryProblem::Kid);
    edited["public"]["kid"] = "mine".into();
    assert_eq!(*parse(&edited).unwrap_err().problem(), EntryProblem::Kid);
}

#[test]
fn a_private_half_that_fits_another_public_key_is_refused() {
    let honest = entry(Algorithm::EdDsa);
    let sealed = sealer()
        .seal(&honest.associated_data(), [1; 24], &[8; 32])
        .unwrap();
    let mut forged = honest;
    forged.sealed = encode(&sealed);
    let error = forged.open(&sealer()).unwrap_err();
    assert_eq!(*error.problem(), EntryProblem::Mismatch);
}

#[test]
fn damaged_text_is_refused_and_never_panics() {
    let text = entry(Algorithm::Es256).to_json().unwrap();
    let intact = KeyEntry::parse(NAME, &text).unwrap();
    for length in 0..text.len() {
        assert!(KeyEntry::parse(NAME, &text[..length]).is_err(), "{length}");
    }
    for position in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 1;
        let Ok(damaged) = String::from_utf8(bytes) else {
            continue;
        };
        if let Ok(entry) = KeyEntry::parse(NAME, &damaged) {
            assert_ne!(entry, intact);
            assert!(entry.open(&sealer()).is_err(), "byte {position}");
        }
    }
}

#[test]
fn missing_unknown_repeated_and_mistyped_members_are_refused() {
    for member in MEMBERS {
        let mut without = json();
        without.remove(member);
        assert!(parse(&without).is_err(), "without {member}");
        for value in [
            Value::Null,
            (-1).into(),
            Value::from(1.5),
            "é".into(),
            Value::Array(vec![]),
        ] {
            let mut mistyped = json();
            mistyped.insert(member.to_owned(), value.clone());
            let opened = parse(&mistyped).and_then(|entry| entry.open(&sealer()));
            assert!(opened.is_err(), "{member}: {value}");
        }
    }
    let mut more = json();
    more.insert("d".to_owned(), "x".into());
    assert_eq!(*parse(&more).unwrap_err().problem(), EntryProblem::Unknown);
    let mut private = json();
    private["public"]["d"] = "x".into();
    assert!(parse(&private).is_err());
    let text = entry(Algorithm::EdDsa).to_json().unwrap();
    let twice = text.replacen('{', r#"{"period":690,"#, 1);
    assert!(KeyEntry::parse(NAME, &twice).is_err());
}

#[test]
fn another_format_is_named_before_anything_else() {
    let error = KeyEntry::parse(NAME, r#"{"format":3,"whatever":true}"#).unwrap_err();
    assert_eq!(*error.problem(), EntryProblem::Format(3));
    assert!(
        error
            .to_string()
            .contains("this version reads formats 1 and 2")
    );
}

//! The sessions of a file of tests: whole answers of Kratos' whoami, or a short form of them.

use edgekeeper_policy::compile::{Content, Sources as _, Tree};
use serde_json::{Map, Value, json};

use super::reader::Reader;
use crate::files::FileSystem;

/// The keys of the short form.
pub(super) const KEYS: [&str; 5] = ["id", "email", "traits", "verified", "aal"];

/// Reads a session into what whoami answers. `file://…` names a file, relative to the file of tests at `path`.
pub(super) fn read(tree: &Tree, what: &str, path: &str, reader: &mut Reader) -> Option<Value> {
    let Content::Text(address) = &tree.content else {
        return answer(tree, what, reader);
    };
    let Some(named) = address.strip_prefix("file://") else {
        reader.refuse(
            tree.place,
            &format!("{what} is neither a table nor a file"),
            "write what whoami answers, its short form `{ id: …, email: … }`, or a file such as `file://./ada.json`",
        );
        return None;
    };
    let named = named.strip_prefix("./").unwrap_or(named);
    let file = match path.rsplit_once('/') {
        Some((folder, _)) if !named.starts_with('/') => format!("{folder}/{named}"),
        _ => named.to_owned(),
    };
    let text = match FileSystem.read(&file) {
        Ok(text) => text,
        Err(reason) => {
            reader.refuse(
                tree.place,
                &format!("the file `{file}` of {what} cannot be read: {reason}"),
                "a path is relative to the folder of this file; `curl -b 'ory_kratos_session=…' KRATOS/sessions/whoami` writes such a file",
            );
            return None;
        }
    };
    let found = match Tree::read(&file, &text) {
        Ok(found) => found,
        Err(found) => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            reader.refuse(
                tree.place,
                &format!("the file `{file}` of {what} cannot be understood"),
                &found.join("\n  "),
            );
            return None;
        }
    };
    let mut within = Reader::new(&file);
    let answer = answer(&found, what, &mut within);
    if let Some(refusals) = within.finish() {
        reader.refuse(
            tree.place,
            &format!("the file `{file}` of {what} is not what whoami answers"),
            &format!("\n{refusals}"),
        );
        return None;
    }
    answer
}

fn answer(tree: &Tree, what: &str, reader: &mut Reader) -> Option<Value> {
    if let Content::Table(entries) = &tree.content
        && entries.iter().any(|(key, _, _)| key == "identity")
    {
        return Some(tree.json());
    }
    let entries = match &tree.content {
        Content::Table(_) => reader.table(tree, what, &KEYS)?,
        _ => {
            reader.refuse(
                tree.place,
                &format!("{what} is no table"),
                "write what whoami answers (with `identity`), or its short form `{ id: …, email: … }`",
            );
            return None;
        }
    };
    let (mut id, mut email, mut aal, mut verified) = (None, None, "aal1", None);
    let mut traits = Map::new();
    for (key, place, value) in entries {
        match key {
            "id" => id = reader.text(value, "`id`"),
            "email" => email = reader.text(value, "`email`"),
            "verified" => verified = reader.flag(value, "`verified`").map(|flag| (place, flag)),
            "aal" => {
                let text = reader.text(value, "`aal`");
                aal = text.unwrap_or(aal);
                if !["aal1", "aal2"].contains(&aal) {
                    reader.refuse(
                        value.place,
                        &format!("`aal` cannot be `{aal}`"),
                        "allowed are `aal1`, `aal2`",
                    );
                }
            }
            "traits" => {
                reader.map(value, "`traits`");
                if let Value::Object(given) = value.json() {
                    traits = given;
                }
            }
            _ => {}
        }
    }
    let Some(id) = id else {
        reader.refuse(
            tree.place,
            &format!("{what} has no `id`"),
            "write the identity's, which rules take for the subject: `id: 6f1c…`",
        );
        return None;
    };
    if let (Some((place, _)), None) = (verified, email) {
        reader.refuse(
            place,
            "`verified` says nothing without `email`",
            "write the address that is verified: `email: ada@example.com`",
        );
    }
    Some(whoami(
        id,
        email,
        traits,
        verified.is_some_and(|(_, flag)| flag),
        aal,
    ))
}

/// What Kratos answers for an identity that signed in with a password.
fn whoami(
    id: &str,
    email: Option<&str>,
    mut traits: Map<String, Value>,
    verified: bool,
    aal: &str,
) -> Value {
    let addresses: Vec<Value> = email
        .map(|email| {
            let status = if verified { "completed" } else { "pending" };
            json!({ "value": email, "via": "email", "verified": verified, "status": status })
        })
        .into_iter()
        .collect();
    if let Some(email) = email
        && !traits.contains_key("email")
    {
        traits.insert("email".to_owned(), Value::from(email));
    }
    json!({
        "id": format!("session-of-{id}"),
        "active": true,
        "expires_at": "2999-01-01T00:00:00Z",
        "authenticated_at": "2020-01-01T00:00:00Z",
        "issued_at": "2020-01-01T00:00:00Z",
        "authenticator_assurance_level": aal,
        "identity": {
            "id": id,
            "schema_id": "default",
            "state": "active",
            "traits": traits,
            "verifiable_addresses": addresses,
        },
    })
}

//! `edgekeeper keys import`: the keys that were made for Oathkeeper.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use edgekeeper_policy::authenticator::Authenticator;
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_token::foreign::set::{JwkSet, Reading};
use edgekeeper_token::imported::entry::ImportedEntry;
use edgekeeper_token::imported::set::ImportedSet;
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use zeroize::Zeroizing;

use crate::build::refusal;
use crate::files::{self, FileSystem};

/// Seal the key sets that Oathkeeper reads from files (`jwks_url`, `jwks_urls`) under `KEYS_SECRET`
///
/// The gateway has no files. What lies in one is put into the key-value store under a name made of its URL, where nobody
/// without `KEYS_SECRET` can read it. Sets at `http` and `https` URLs are fetched and need no import.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper keys import --config oathkeeper.yml --edge edge.yml --root . --out keys.json
  edgekeeper keys import --jwks id_token.jwks.json --url file:///etc/secrets/id_token.jwks.json --out keys.json")]
pub(crate) struct Import {
    /// Oathkeeper's configuration; all the `file://` sets of its rules are read
    #[arg(
        long,
        short,
        value_name = "FILE",
        required_unless_present = "jwks",
        conflicts_with = "jwks"
    )]
    config: Option<String>,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE", requires = "config")]
    edge: Option<String>,

    /// Look up absolute paths (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR", requires = "config")]
    root: Option<String>,

    /// Read the configuration as for a gateway in strict mode
    #[arg(long, requires = "config")]
    strict: bool,

    /// One file with a set that signs, instead of all that the configuration names
    #[arg(long, value_name = "FILE", requires = "url")]
    jwks: Option<PathBuf>,

    /// The `jwks_url` it stands for, as the configuration writes it
    #[arg(long, value_name = "URL", requires = "jwks")]
    url: Option<String>,

    /// Where to write the file for `wrangler kv bulk put`; readable by you alone
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

/// What a set is for; both if it stands in both places.
#[derive(Debug, Default)]
struct Use {
    path: PathBuf,
    /// `jwks_url` of `id_token`.
    signs: bool,
    /// `jwks_urls` of `jwt`.
    checks: bool,
}

pub(super) fn run(arguments: &Import) -> Result<(), String> {
    let Sets { sets, strict } = sets(arguments)?;
    let sealer = super::sealer()?;
    let mut entries = Vec::new();
    let mut said = Vec::new();
    let mut refused = Vec::new();
    for (url, set) in &sets {
        match import(url, set, &sealer, strict) {
            Ok((entry, line)) => {
                entries.push(entry);
                said.push(line);
            }
            Err(error) => refused.push(error),
        }
    }
    if strict {
        // Oathkeeper starts without them, and so does the gateway.
        for error in refused.drain(..) {
            eprintln!("{}", as_warning(&error));
        }
    }
    if !refused.is_empty() {
        refused.push("nothing was written".to_owned());
        return Err(refused.join("\n"));
    }
    let file = Zeroizing::new(serde_json::Value::Array(entries).to_string());
    files::write(&arguments.out, file.as_bytes(), 0o600)?;
    for line in said {
        println!("{line}");
    }
    super::tell_upload(&arguments.out, "Put it into the store:");
    Ok(())
}

/// What is to be imported.
struct Sets {
    /// By the URL that the gateway will look for.
    sets: BTreeMap<String, Use>,
    /// For a gateway in strict mode, which answers 500 or 401 to what needs a set that is not there or wrong.
    strict: bool,
}

fn sets(arguments: &Import) -> Result<Sets, String> {
    if let (Some(path), Some(url)) = (&arguments.jwks, &arguments.url) {
        let set = Use {
            path: path.clone(),
            signs: true,
            checks: false,
        };
        return Ok(Sets {
            sets: BTreeMap::from([(url.clone(), set)]),
            strict: false,
        });
    }
    let config = arguments.config.clone().unwrap_or_default();
    let options = Options {
        config: config.clone(),
        edge: arguments.edge.clone(),
        root: arguments.root.clone(),
        strict: arguments.strict,
        ..Options::default()
    };
    // What is worth a warning is the build's to tell.
    let (policy, _) = compile(&FileSystem, &options).map_err(|found| refusal(&found))?;
    let mut sets = BTreeMap::<String, Use>::new();
    let mut add = |url: &str, signs: bool| {
        if let Some(path) = path(url, &config, arguments.root.as_deref()) {
            let set = sets.entry(url.to_owned()).or_default();
            set.path = path;
            set.signs |= signs;
            set.checks |= !signs;
        }
    };
    for jwks in policy.published_sets() {
        add(&jwks.url, true);
    }
    for authenticator in policy.rules.iter().flat_map(|rule| &rule.authenticators) {
        if let Authenticator::Jwt(jwt) = authenticator {
            for jwks in &jwt.jwks {
                add(&jwks.url, false);
            }
        }
    }
    if sets.is_empty() {
        return Err(format!(
            "error: no rule of `{config}` reads a key set from a file\n  help: `id_token` signs with the keys at `jwks_url` when `edge.yml` has `keys: {{ source: jwks_url }}`; otherwise make a key with `edgekeeper keys new`"
        ));
    }
    Ok(Sets {
        sets,
        strict: policy.strict,
    })
}

/// What is wrong with a set, where the others are imported all the same.
fn as_warning(error: &str) -> String {
    error.replacen("error: ", "warning: not imported: ", 1)
}

/// The file that a `file://` URL means: relative to the configuration's folder, where Oathkeeper is started as a rule;
/// absolute under `root`, if there is one. `None` for other URLs.
fn path(url: &str, config: &str, root: Option<&str>) -> Option<PathBuf> {
    let path = url.strip_prefix("file://")?;
    Some(match path.strip_prefix('/') {
        Some(inside) => Path::new(root.unwrap_or("/")).join(inside),
        None => Path::new(config)
            .parent()
            .unwrap_or(Path::new(""))
            .join(path.strip_prefix("./").unwrap_or(path)),
    })
}

/// Checks and seals one set. Returns what to store, and what to say.
fn import(
    url: &str,
    set: &Use,
    sealer: &Sealer,
    strict: bool,
) -> Result<(serde_json::Value, String), String> {
    let shown = set.path.display();
    let text = files::read(&set.path)
        .map(Zeroizing::new)
        .map_err(|reason| {
            format!("error: `{shown}` cannot be read: {reason}\n  help: it is the set at `{url}`")
        })?;
    let error = |problem: &dyn std::fmt::Display| format!("{shown}: error: {problem}");
    let mut uses = Vec::new();
    if set.signs {
        let signer = ImportedSet::parse(&text)
            .map_err(|problem| error(&problem))?
            .signer();
        match &signer {
            Ok(signer) => uses.push(format!("signs {} as {}", signer.algorithm(), signer.kid())),
            Err(problem) if strict => {
                eprintln!("{shown}: warning: {problem}");
                uses.push("signs nothing".to_owned());
            }
            Err(problem) => return Err(error(problem)),
        }
        if let Ok(signer) = signer
            && signer.is_symmetric()
        {
            eprintln!(
                "{shown}: warning: {} is symmetric, so its key is not in the published set: upstreams need the secret itself, and can then sign tokens too\n  help: sign with an RSA or elliptic curve key",
                signer.algorithm()
            );
        }
    }
    if set.checks {
        let set = JwkSet::parse(&text, Reading::SEALED).map_err(|problem| error(&problem))?;
        for problem in set.problems() {
            eprintln!("{shown}: warning: key set: {problem}");
        }
        if set.is_empty() && !strict {
            return Err(error(
                &"key set: no key that tokens can be checked with; one is needed that has \"kid\" and \"use\":\"sig\"",
            ));
        }
        uses.push("checks tokens".to_owned());
    }
    let mut nonce = [0; NONCE_LENGTH];
    super::random(&mut nonce)?;
    let entry = ImportedEntry::seal(sealer, url, &text, nonce)
        .and_then(|entry| Ok((entry.name(), entry.to_json()?)));
    let (name, value) = entry.map_err(|problem| error(&problem))?;
    let line = format!("{shown}: {}, {name}", uses.join(", "));
    Ok((serde_json::json!({ "key": name, "value": value }), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_is_left_out_is_told_as_a_warning() {
        for (error, expected) in [
            (
                "error: `a` cannot be read",
                "warning: not imported: `a` cannot be read",
            ),
            (
                "a.json: error: key set: error: x",
                "a.json: warning: not imported: key set: error: x",
            ),
        ] {
            assert_eq!(as_warning(error), expected);
        }
    }

    #[test]
    fn file_urls_become_paths_as_the_rules_do() {
        for (url, root, expected) in [
            ("file://./jwks.json", None, "conf/jwks.json"),
            ("file://jwks.json", None, "conf/jwks.json"),
            ("file://../jwks.json", None, "conf/../jwks.json"),
            ("file:///etc/jwks.json", None, "/etc/jwks.json"),
            ("file:///etc/jwks.json", Some("root"), "root/etc/jwks.json"),
            ("file:///etc/jwks.json", Some("/srv/"), "/srv/etc/jwks.json"),
        ] {
            let found = path(url, "conf/oathkeeper.yml", root);
            assert_eq!(found.as_deref(), Some(Path::new(expected)), "{url}");
        }
        assert_eq!(
            path("file://a.json", "oathkeeper.yml", None),
            Some(PathBuf::from("a.json"))
        );
        for url in ["https://a.example/", "http://a.example/", "s3://a/b"] {
            assert_eq!(path(url, "c", None), None, "{url}");
        }
    }
}

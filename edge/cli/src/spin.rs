//! `edgekeeper spin`: what a Spin manifest allows, the hosts that a policy sends requests to and no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use edgekeeper_policy::document::Policy;
use toml_edit::{Array, DocumentMut, Item, TableLike, Value, value};

use crate::destinations::Destinations;
use crate::files;

/// Let a Spin component reach the hosts that a policy document needs, and no other
///
/// It writes `allowed_outbound_hosts` into the manifest. `build --spin-manifest` does the same while it makes the policy;
/// this is for a policy that is there already.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper spin --policy policy.json --manifest spin.toml
  edgekeeper spin --policy policy.json --manifest app/spin.toml --component gateway")]
pub(crate) struct Arguments {
    /// The policy document
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    /// The `spin.toml`
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// The component in it that is the gateway
    #[arg(long, value_name = "NAME", default_value = "edgekeeper")]
    component: String,
}

/// Runs the command.
///
/// # Errors
/// What to print before it fails: which of the two files cannot be used, and why.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let path = arguments.policy.display();
    let policy = Policy::from_json(&read(&arguments.policy)?)
        .map_err(|error| format!("{path}: error: {error}"))?;
    manifest(&arguments.manifest, &arguments.component, &policy)?.write()
}

/// A manifest to be written.
#[derive(Debug)]
pub(crate) struct Manifest<'a> {
    path: &'a Path,
    old: String,
    new: String,
    hosts: usize,
}

/// The manifest as it is to be for a policy. Bindings, which Spin does not have, are told.
///
/// # Errors
/// When it cannot be read or is none that has the component.
pub(crate) fn manifest<'a>(
    path: &'a Path,
    component: &str,
    policy: &Policy,
) -> Result<Manifest<'a>, String> {
    let shown = path.display();
    let old = read(path)?;
    let destinations = Destinations::of(policy);
    for warning in warnings(&destinations) {
        eprintln!("{shown}: {warning}");
    }
    let new = allow(&old, component, &destinations.origins)
        .map_err(|error| format!("{shown}: {error}"))?;
    Ok(Manifest {
        path,
        old,
        new,
        hosts: destinations.origins.len(),
    })
}

impl Manifest<'_> {
    /// Writes it and says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self) -> Result<(), String> {
        // One that is right already is not touched: `spin watch` would build again.
        if self.new != self.old {
            files::write(self.path, self.new.as_bytes(), 0o644)?;
        }
        let hosts = match self.hosts {
            1 => "1 host".to_owned(),
            many => format!("{many} hosts"),
        };
        println!("{}: may reach {hosts}", self.path.display());
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, String> {
    files::read(path).map_err(|reason| {
        format!(
            "{}: error: the file cannot be read: {reason}",
            path.display()
        )
    })
}

/// The manifest's key.
const ALLOWED: &str = "allowed_outbound_hosts";

/// Lists wider than this are written with one entry on each line.
const WIDEST: usize = 120;

/// The binding that the middleware build gives to the next component of the app.
const NEXT: &str = "NEXT";

/// What to say about bindings, none of which Spin has.
fn warnings(destinations: &Destinations) -> impl Iterator<Item = String> {
    destinations.bindings
            .iter()
            .filter(|(name, _)| *name != NEXT)
            .map(|(name, rule)| {
                format!(
                    "warning: rule \"{rule}\": it goes to the binding `{name}`, which Spin does not have\n  help: write the address of the service as `url` in `upstreams` of edge.yml; in the middleware build `{NEXT}` is the next component"
                )
            })
}

/// A manifest whose component may reach these origins and no other. Everything else in it is left as it is.
///
/// # Errors
/// What is wrong with the manifest and what is allowed there.
fn allow(manifest: &str, component: &str, origins: &BTreeSet<String>) -> Result<String, String> {
    let mut document: DocumentMut = manifest
        .parse()
        .map_err(|error| format!("error: this is not TOML: {error}"))?;
    let version = document
        .get("spin_manifest_version")
        .and_then(Item::as_integer);
    if version != Some(2) {
        return Err(
            "error: this is not a Spin manifest of version 2\n  help: it begins with `spin_manifest_version = 2`"
                .to_owned(),
        );
    }
    let components = document
        .get_mut("component")
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| {
            format!("error: there is no component\n  help: write `[component.{component}]`")
        })?;
    let names: Vec<String> = components
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let table = components.get_mut(component).ok_or_else(|| {
        format!(
            "error: there is no component `{component}`; there is {}\n  help: name the gateway's with --spin-component",
            names.join(", ")
        )
    })?;
    let table = table
        .as_table_like_mut()
        .ok_or_else(|| format!("error: `component.{component}` is not a table"))?;
    replace(table, component, origins)?;
    Ok(document.to_string())
}

fn replace(
    table: &mut dyn TableLike,
    component: &str,
    origins: &BTreeSet<String>,
) -> Result<(), String> {
    let list = list(origins);
    match table.get_mut(ALLOWED) {
        None => {
            table.insert(ALLOWED, value(list));
        }
        Some(item) => {
            let present = item.as_array_mut().ok_or_else(|| {
                format!("error: `component.{component}.{ALLOWED}` is not a list\n  help: write `{ALLOWED} = []`")
            })?;
            let is_same = present.len() == list.len()
                && present
                    .iter()
                    .zip(origins)
                    .all(|(present, origin)| present.as_str() == Some(origin));
            if !is_same {
                let around = present.decor().clone();
                *present = list;
                *present.decor_mut() = around;
            }
        }
    }
    Ok(())
}

fn list(origins: &BTreeSet<String>) -> Array {
    let mut list: Array = origins.iter().map(String::as_str).collect();
    let width = format!("{ALLOWED} = {list}").chars().count();
    if width > WIDEST {
        for origin in list.iter_mut() {
            decorate(origin);
        }
        list.set_trailing("\n");
        list.set_trailing_comma(true);
    }
    list
}

fn decorate(origin: &mut Value) {
    origin.decor_mut().set_prefix("\n  ");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use edgekeeper_policy::compile::{Options, Sources, compile};

    use super::*;

    /// The operator's files, by name.
    struct Files(BTreeMap<&'static str, String>);

    impl Sources for Files {
        fn read(&self, path: &str) -> Result<String, String> {
            self.0
                .get(path.trim_start_matches("./"))
                .cloned()
                .ok_or_else(|| format!("no {path}"))
        }
    }

    fn policy(edge: &str, rules: &[(&str, &str, &str)]) -> Policy {
        let config = "
access_rules: { repositories: ['file://rules.json'] }
authenticators:
  noop: { enabled: true }
  cookie_session: { enabled: true, config: { check_session_url: 'http://kratos:4433/sessions/whoami', only: [ory_kratos_session] } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true } }
";
        let rules: Vec<serde_json::Value> = rules
            .iter()
            .map(|(id, upstream, authenticator)| {
                serde_json::json!({
                    "id": id,
                    "upstream": { "url": upstream },
                    "match": { "url": format!("http://{id}.example.com/<.*>"), "methods": ["GET"] },
                    "authenticators": [{ "handler": authenticator }],
                    "authorizer": { "handler": "allow" },
                    "mutators": [{ "handler": "noop" }],
                })
            })
            .collect();
        let files = Files(BTreeMap::from([
            ("oathkeeper.yml", config.to_owned()),
            ("edge.yml", edge.to_owned()),
            ("rules.json", serde_json::to_string(&rules).unwrap()),
        ]));
        let options = Options {
            config: "oathkeeper.yml".to_owned(),
            edge: (!edge.is_empty()).then(|| "edge.yml".to_owned()),
            root: None,
            strict: false,
            ..Options::default()
        };
        match compile(&files, &options) {
            Ok((policy, _)) => policy,
            Err(found) => panic!(
                "{}",
                found.iter().map(ToString::to_string).collect::<String>()
            ),
        }
    }

    fn origins(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(ToString::to_string).collect()
    }

    const MANIFEST: &str = r#"# Ours.
spin_manifest_version = 2

[application]
name = "app"

[component.edgekeeper]
source = "edgekeeper.wasm"   # built
# Who may be reached.
allowed_outbound_hosts = ["https://old.example"] # least privilege
key_value_stores = [ "default" ]

[component.edgekeeper.variables]
policy = "{{ policy }}"

[component.other]
source = "other.wasm"
allowed_outbound_hosts = ["https://theirs.example"]
"#;

    #[test]
    fn upstreams_and_session_checks_are_reached_and_nothing_else() {
        let found = Destinations::of(&policy(
            "",
            &[
                ("a", "http://frames:8080/base", "cookie_session"),
                ("b", "https://api.example.net:443/v1", "noop"),
                ("c", "http://frames:8080/other", "noop"),
                ("d", "http://[2001:db8::1]:3000", "noop"),
                ("e", "http://127.0.0.1:80", "noop"),
            ],
        ));
        assert_eq!(
            found.origins,
            origins(&[
                "http://127.0.0.1",
                "http://[2001:db8::1]:3000",
                "http://frames:8080",
                "http://kratos:4433",
                "https://api.example.net",
            ]),
            "each once, without a port that is the scheme's own"
        );
        assert_eq!(found.bindings, BTreeMap::new());
    }

    #[test]
    fn a_session_check_that_no_rule_makes_needs_no_way() {
        let found = Destinations::of(&policy("", &[("a", "http://frames:8080", "noop")]));
        assert_eq!(found.origins, origins(&["http://frames:8080"]));
    }

    #[test]
    fn addresses_of_edge_yml_count_and_bindings_do_not() {
        let edge = "
upstreams:
  http://frames:8080: https://frames.example.net
  http://kratos:4433: { binding: KRATOS }
  http://next: { binding: NEXT }
";
        let found = Destinations::of(&policy(
            edge,
            &[
                ("a", "http://frames:8080", "cookie_session"),
                ("b", "http://next", "cookie_session"),
            ],
        ));
        assert_eq!(found.origins, origins(&["https://frames.example.net"]));
        assert_eq!(
            warnings(&found).collect::<Vec<_>>(),
            [
                "warning: rule \"a\": it goes to the binding `KRATOS`, which Spin does not have\n  \
              help: write the address of the service as `url` in `upstreams` of edge.yml; in the middleware build \
              `NEXT` is the next component"
            ],
            "the next component of a chain is no mistake"
        );
    }

    #[test]
    fn only_the_list_of_that_component_changes() {
        let new = allow(
            MANIFEST,
            "edgekeeper",
            &origins(&["http://b:1", "http://a:1"]),
        )
        .unwrap();
        let expected = MANIFEST.replace(
            r#"["https://old.example"]"#,
            r#"["http://a:1", "http://b:1"]"#,
        );
        assert_eq!(new, expected);
        assert_eq!(
            allow(&new, "edgekeeper", &origins(&["http://b:1", "http://a:1"])).unwrap(),
            new
        );
        let none = allow(&new, "edgekeeper", &BTreeSet::new()).unwrap();
        assert_eq!(none, MANIFEST.replace(r#"["https://old.example"]"#, "[]"));
    }

    #[test]
    fn a_list_that_is_right_keeps_its_layout() {
        let manifest = MANIFEST.replace(
            r#"["https://old.example"]"#,
            "[\n  \"http://a:1\", # the frames\n]",
        );
        assert_eq!(
            allow(&manifest, "edgekeeper", &origins(&["http://a:1"])).unwrap(),
            manifest
        );
    }

    #[test]
    fn a_long_list_has_a_line_for_each() {
        let many: BTreeSet<String> = (10..16)
            .map(|n| format!("https://upstream-{n}.example.com"))
            .collect();
        let new = allow(MANIFEST, "edgekeeper", &many).unwrap();
        assert!(
            new.contains(
                "allowed_outbound_hosts = [\n  \"https://upstream-10.example.com\",\n  \"https://upstream-11"
            ),
            "{new}"
        );
        assert!(
            new.contains("upstream-15.example.com\",\n] # least privilege\n"),
            "{new}"
        );
        assert_eq!(allow(&new, "edgekeeper", &many).unwrap(), new);
    }

    #[test]
    fn a_component_without_a_list_gets_one_of_its_own() {
        let manifest = MANIFEST.replace(
            "allowed_outbound_hosts = [\"https://old.example\"] # least privilege\n",
            "",
        );
        let new = allow(&manifest, "edgekeeper", &origins(&["http://a:1"])).unwrap();
        assert!(
            new.contains(
                "allowed_outbound_hosts = [\"http://a:1\"]\n\n[component.edgekeeper.variables]"
            ),
            "{new}"
        );
        let inline = "spin_manifest_version = 2\ncomponent.gateway = { source = \"a.wasm\" }\n";
        let new = allow(inline, "gateway", &origins(&["http://a:1"])).unwrap();
        assert!(
            new.contains(r#"allowed_outbound_hosts = ["http://a:1"] }"#),
            "{new}"
        );
    }

    #[test]
    fn what_is_no_such_manifest_is_told_apart() {
        for (manifest, component, expected) in [
            (
                "a = ",
                "edgekeeper",
                "error: this is not TOML: TOML parse error at line 1",
            ),
            (
                "spin_manifest_version = \"1\"",
                "edgekeeper",
                "error: this is not a Spin manifest of version 2\n  help: it begins with `spin_manifest_version = 2`",
            ),
            (
                "",
                "edgekeeper",
                "error: this is not a Spin manifest of version 2",
            ),
            (
                "spin_manifest_version = 2",
                "edgekeeper",
                "error: there is no component\n  help: write `[component.edgekeeper]`",
            ),
            (
                MANIFEST,
                "gateway",
                "error: there is no component `gateway`; there is `edgekeeper`, `other`\n  help: name the gateway's with --spin-component",
            ),
            (
                "spin_manifest_version = 2\n[component]\nedgekeeper = 1",
                "edgekeeper",
                "error: `component.edgekeeper` is not a table",
            ),
            (
                "spin_manifest_version = 2\n[component.edgekeeper]\nallowed_outbound_hosts = \"*\"",
                "edgekeeper",
                "error: `component.edgekeeper.allowed_outbound_hosts` is not a list\n  help: write `allowed_outbound_hosts = []`",
            ),
        ] {
            let error = allow(manifest, component, &BTreeSet::new()).unwrap_err();
            assert!(error.starts_with(expected), "{manifest}: {error}");
        }
    }
}

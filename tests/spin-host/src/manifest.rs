//! The application's manifest, `spin.toml` version 2, as far as this host runs it.
//!
//! What changes an application's behaviour and is not here is refused by name, so that
//! no test passes because a setting was overlooked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// An application: what answers which path, and with what rights.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    /// Its name.
    pub application: Application,
    /// The variables a deployment may set.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What starts a component.
    #[serde(rename = "trigger")]
    pub triggers: Triggers,
    /// The components by their id.
    #[serde(rename = "component")]
    pub components: BTreeMap<String, Component>,
}

/// What the application calls itself.
#[derive(Debug, Deserialize)]
pub struct Application {
    /// The name, shown at `/.well-known/spin/info`.
    pub name: String,
    /// The version, shown there as well.
    pub version: Option<String>,
}

/// A variable that a deployment may set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its value where nobody sets it.
    pub default: Option<String>,
    /// Whether somebody must set it.
    #[serde(default)]
    pub required: bool,
    /// Whether Spin hides it; this host prints no values at all.
    #[serde(default)]
    pub secret: bool,
    /// For people.
    pub description: Option<String>,
}

/// The triggers by their kind. Spin has more kinds than this host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// Requests.
    pub http: Vec<HttpTrigger>,
}

/// A route and what answers it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// For people.
    pub id: Option<String>,
    /// A path, or one that ends in `/...`.
    pub route: String,
    /// The id of the component.
    pub component: String,
}

/// A component and its rights.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The `.wasm` file.
    pub source: PathBuf,
    /// For people.
    pub description: Option<String>,
    /// Its own variables: templates over the application's.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files it may read.
    #[serde(default)]
    pub files: Vec<FileMount>,
    /// Where it may send requests.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The stores it may open, by label.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// How `spin build` builds it.
    pub build: Option<toml::Value>,
}

/// Files that a component may read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum FileMount {
    /// The file or folder of that name, under the same name.
    Path(PathBuf),
    /// A file or folder under another name.
    Placement {
        /// Relative to the manifest.
        source: PathBuf,
        /// As the component sees it.
        destination: PathBuf,
    },
}

impl Manifest {
    /// Reads a manifest; `from` is the file or its folder. Also returns the folder its paths start from.
    ///
    /// # Errors
    /// The file cannot be read, is no manifest of version 2, or asks for what this host does not do.
    pub fn read(from: &Path) -> Result<(Self, PathBuf)> {
        let file = if from.is_dir() {
            from.join("spin.toml")
        } else {
            from.to_owned()
        };
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read the manifest {}", file.display()))?;
        let manifest =
            Self::parse(&text).with_context(|| format!("manifest {}", file.display()))?;
        let folder = std::path::absolute(&file)?
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        Ok((manifest, folder))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        ensure!(
            manifest.spin_manifest_version == 2,
            "spin_manifest_version is {}; this host reads version 2",
            manifest.spin_manifest_version
        );
        for trigger in &manifest.triggers.http {
            ensure!(
                manifest.components.contains_key(&trigger.component),
                "route {:?} names the component {:?}, which [component] does not have",
                trigger.route,
                trigger.component
            );
        }
        for (name, variable) in &manifest.variables {
            if variable.required == variable.default.is_some() {
                bail!("variable {name:?} must have either `required = true` or a `default`");
            }
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "a"
        [variables]
        origin = { required = true }
        keys_secret = { required = true, secret = true }
        listener = { default = "proxy" }
        [[trigger.http]]
        route = "/..."
        component = "a"
        [component.a]
        source = "a.wasm"
        files = ["policy.json", { source = "b", destination = "/c" }]
        allowed_outbound_hosts = ["{{ origin }}"]
        key_value_stores = ["default"]
        [component.a.variables]
        origin = "{{ origin }}"
    "#;

    #[test]
    fn reads_what_an_application_needs() {
        let manifest = Manifest::parse(SMALL).unwrap();
        let component = &manifest.components["a"];
        assert_eq!(component.source, Path::new("a.wasm"));
        assert_eq!(component.files.len(), 2);
        assert_eq!(component.key_value_stores, ["default"]);
        assert_eq!(component.variables["origin"], "{{ origin }}");
        assert!(manifest.variables["keys_secret"].secret);
    }

    #[test]
    fn refuses_what_it_would_overlook() {
        for (from, to, named) in [
            ("key_value_stores", "sqlite_databases", "sqlite_databases"),
            (
                "spin_manifest_version = 2",
                "spin_manifest_version = 1",
                "version 2",
            ),
            ("component = \"a\"", "component = \"b\"", "\"b\""),
            ("route = \"/...\"", "route = { private = true }", "route"),
            ("{ default = \"proxy\" }", "{}", "\"listener\""),
            ("[[trigger.http]]", "[[trigger.redis]]", "redis"),
        ] {
            let text = SMALL.replace(from, to);
            assert_ne!(text, SMALL, "{from}");
            let error = format!("{:#}", Manifest::parse(&text).unwrap_err());
            assert!(error.contains(named), "{to}: {error}");
        }
    }
}

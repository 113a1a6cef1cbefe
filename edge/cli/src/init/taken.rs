//! What a team's own files lack.

use std::collections::BTreeSet;

use edgekeeper_policy::compile::{Options, compile, is_internal};
use url::Url;

use crate::build;
use crate::destinations::Destinations;
use crate::files::FileSystem;

use super::Written;

/// `edge.yml` for Oathkeeper's configuration and its rules.
///
/// # Errors
/// What is wrong with them; or that a name is none.
pub(super) fn files(config: &str, root: Option<&str>) -> Result<Vec<Written>, String> {
    let options = Options {
        config: config.to_owned(),
        root: root.map(str::to_owned),
        ..Options::default()
    };
    let (policy, _) = compile(&FileSystem, &options)
        .map_err(|found| build::findings(&found, "nothing was written"))?;
    let mut edge = String::from(
        "# What Oathkeeper has no words for; docs/edge-yml.md has all of it. Oathkeeper's own files stay as they are.\n",
    );
    let hosts: BTreeSet<&str> = policy
        .rules
        .iter()
        .filter_map(|rule| rule.url.host())
        .collect();
    if !hosts.is_empty() {
        edge.push_str("\n# The hosts that are served. Any other is 404. Rules whose host is a pattern are not counted here.\nhosts:\n");
        for host in &hosts {
            edge.push_str(&format!("  - {host}\n"));
        }
    }
    let origins = Destinations::of(&policy).origins;
    let (internal, known): (Vec<&String>, Vec<&String>) = origins
        .iter()
        .partition(|origin| Url::parse(origin).is_ok_and(|url| is_internal(&url)));
    if !internal.is_empty() {
        edge.push_str(
            "\n# Names that only the cluster knows. Say where each is for the gateway: a URL, or `{ binding: NAME }` on Workers. As it\n# stands here the gateway runs in the same network.\nupstreams:\n",
        );
        for origin in internal {
            edge.push_str(&format!("  \"{origin}\": {origin}\n"));
        }
    }
    if !known.is_empty() {
        edge.push_str("\n# Reached as the rules name them:\n");
        for origin in known {
            edge.push_str(&format!("#   {origin}\n"));
        }
    }
    edge.push_str(
        "\n# Pages of other origins that may call it, with cookies. Preflights are answered by the gateway.\n# cors:\n#   allowed_origins: [https://www.example.com]\n#   allow_credentials: true\n",
    );
    Ok(vec![("edge.yml", edge)])
}

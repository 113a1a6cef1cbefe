//! What the runtime is told of the gateway: `wrangler.toml` or `spin.toml`.

use clap::ValueEnum;

use super::Written;

/// A runtime whose manifest can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Runtime {
    /// `wrangler.toml`, for Cloudflare Workers
    Cloudflare,
    /// `spin.toml`, for Spin 4.1 or newer
    Spin,
}

/// The manifest of a folder with a configuration of this name and its `edge.yml`.
pub(super) fn file(runtime: Runtime, config: &str, root: Option<&str>) -> Written {
    let mut build = format!("edgekeeper build --config {} --edge edge.yml", word(config));
    if let Some(root) = root {
        build.push_str(&format!(" --root {}", word(root)));
    }
    match runtime {
        Runtime::Cloudflare => ("wrangler.toml", wrangler(&build)),
        Runtime::Spin => ("spin.toml", spin(&build)),
    }
}

fn wrangler(build: &str) -> String {
    let command = quoted(&format!("{build} --out build/cloudflare/policy.json"));
    format!(
        "\
# Edgekeeper on Cloudflare Workers.
#
#   scripts/build --runtime cloudflare            in Edgekeeper's checkout; then copy build/cloudflare from there to here
#   npx wrangler kv namespace create KEYS         once; put the id it prints below
#   npx wrangler secret put KEYS_SECRET           once; 32 random bytes, as from: openssl rand -base64 32
#   npx wrangler deploy

name = \"edgekeeper\"
main = \"build/cloudflare/index.js\"
compatibility_date = \"2026-04-01\"

# It is bundled already. The rules say how the two files beside index.js are loaded.
no_bundle = true
find_additional_modules = true
base_dir = \"build/cloudflare\"
rules = [
  {{ type = \"CompiledWasm\", globs = [\"index_bg.wasm\"], fallthrough = false }},
  {{ type = \"Text\", globs = [\"policy.json\"], fallthrough = false }},
]

# Where browsers reach the gateway. Without a route it is served on workers.dev only.
# routes = [{{ pattern = \"*.example.com/*\", zone_name = \"example.com\" }}]

# Makes the policy of your files; what is wrong with them stops the deploy.
[build]
command = {command}

# Signing keys, sealed under KEYS_SECRET, and pushed policies.
[[kv_namespaces]]
binding = \"KEYS\"
id = \"00000000000000000000000000000000\"

# Makes the next signing key when it is due.
[triggers]
crons = [\"*/15 * * * *\"]

# One structured log line for each decision.
[observability]
enabled = true
"
    )
}

fn spin(build: &str) -> String {
    let command = quoted(&format!(
        "{build} --out policy.json --spin-manifest spin.toml"
    ));
    format!(
        "\
# Edgekeeper on Spin 4.1 or newer.
#
#   scripts/build --runtime spin                  in Edgekeeper's checkout; then copy build/spin/edgekeeper.wasm from there to here
#   spin build                                    makes policy.json, and writes below which hosts it needs
#   (umask 077; openssl rand -base64 32 > keys-secret)                       once; keep it, a restart needs the same
#   SPIN_VARIABLE_KEYS_SECRET=\"$(cat keys-secret)\" spin up

spin_manifest_version = 2

[application]
name = \"edgekeeper\"
version = \"0.1.0\"

[variables]
# Seals signing keys, pushed policies and what instances tell each other of sessions.
keys_secret = {{ required = true, secret = true }}
# What the operator's requests are signed with, where `operator.secret` in edge.yml names it.
operator_secret = {{ default = \"\", secret = true }}

[[trigger.http]]
route = \"/...\"
component = \"edgekeeper\"

[component.edgekeeper]
source = \"edgekeeper.wasm\"
files = [{{ source = \"policy.json\", destination = \"/policy.json\" }}]
key_value_stores = [\"default\"]
# The upstreams and Kratos, and nothing else: `spin build` writes what the policy needs.
allowed_outbound_hosts = []

# A variable reaches the component only when it is named here.
[component.edgekeeper.variables]
keys_secret = \"{{{{ keys_secret }}}}\"
operator_secret = \"{{{{ operator_secret }}}}\"

[component.edgekeeper.build]
command = {command}
"
    )
}

/// One word for a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "./_-+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text in TOML.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

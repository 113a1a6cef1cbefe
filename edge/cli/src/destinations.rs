//! Where the requests of a policy go.

use std::collections::{BTreeMap, BTreeSet};

use edgekeeper_policy::document::Policy;
use url::Url;

/// Where a policy sends requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Destinations {
    /// Scheme, host and port of upstreams and of Kratos.
    pub(crate) origins: BTreeSet<String>,
    /// Bindings, by name, with the first rule that goes to each.
    pub(crate) bindings: BTreeMap<String, String>,
}

impl Destinations {
    /// Those of a policy.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut found = Self::default();
        let published = policy.keys.published.iter();
        for endpoint in published.filter(|set| !set.is_file() && set.binding.is_none()) {
            if let Ok(url) = Url::parse(&endpoint.url) {
                found.origins.insert(url.origin().ascii_serialization());
            }
        }
        for rule in &policy.rules {
            let asked = rule.endpoints();
            let asked = asked
                .into_iter()
                .map(|endpoint| (&endpoint.url, &endpoint.binding));
            let upstream = rule
                .upstream
                .iter()
                .map(|upstream| (&upstream.url, &upstream.binding));
            for (url, binding) in asked.chain(upstream) {
                if let Some(binding) = binding {
                    found
                        .bindings
                        .entry(binding.clone())
                        .or_insert_with(|| rule.id.clone());
                } else if let Ok(url) = Url::parse(url) {
                    found.origins.insert(url.origin().ascii_serialization());
                }
            }
        }
        found
    }
}

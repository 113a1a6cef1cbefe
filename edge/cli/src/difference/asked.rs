//! A request that both policies decide.

use edgekeeper_gateway::request::Listener;
use http::header::HOST;
use http::{HeaderMap, HeaderValue};

use super::outcome::without_query;
use crate::explain::answer::{Answer, Services};
use crate::explain::authority;
use crate::explain::case::Case;

/// A request, and what is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) case: Case,
    /// Whether somebody gave it, or it was made of the rules.
    pub(crate) is_given: bool,
}

impl Asked {
    /// A request of a browser with these headers, with or without a session.
    pub(super) fn made(
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        session: Option<&Answer>,
    ) -> Option<Self> {
        let mut map = HeaderMap::new();
        map.insert(HOST, HeaderValue::from_str(authority(url).ok()?).ok()?);
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).ok()?);
        }
        Some(Self {
            case: Case {
                method: method.to_owned(),
                url: url.to_owned(),
                headers: map,
                listener: Listener::Proxy,
                adds_credential: session.is_some(),
                services: Services::Offline(session.cloned()),
            },
            is_given: false,
        })
    }

    /// Two that are the same are decided once.
    pub(super) fn identity(&self) -> String {
        let case = &self.case;
        let is_proxy = case.listener == Listener::Proxy;
        format!(
            "{} {} {is_proxy} {:?} {:?}",
            case.method, case.url, case.services, case.headers
        )
    }

    /// The request as it may be shown.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.case.method, without_query(&self.case.url))
    }

    /// Who asks, and how.
    pub(super) fn circumstances(&self) -> String {
        let case = &self.case;
        let mut said = Vec::new();
        if let Services::Offline(Some(_)) = case.services {
            said.push("with a session".to_owned());
        } else if let Services::Offline(None) = case.services {
            said.push("without a session".to_owned());
        }
        let header = |name: &str| case.headers.get(name).and_then(|value| value.to_str().ok());
        if case.method == "OPTIONS" && header("access-control-request-method").is_some() {
            said = vec![format!(
                "a preflight from {}",
                header("origin").unwrap_or("nowhere")
            )];
        } else if let Some(accept) = header("accept") {
            said.push(format!("accepting {accept}"));
        }
        if case.listener == Listener::Api {
            said.push("by the API".to_owned());
        }
        said.join(", ")
    }
}

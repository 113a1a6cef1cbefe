//! Requests that a component sends: to allowed hosts only, one connection each, redirects not followed.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, Result, WasiBody,
    WasiHttpHooks, default_send_request,
};

use crate::instance::Component;

/// The rules for headers and requests of one component.
#[derive(Debug)]
pub struct Outbound {
    component: Arc<Component>,
    forbidden: Forbidden,
}

/// Which headers a component neither sees nor sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// wasi:http's list: Host, Connection, Transfer-Encoding and the like.
    Listed,
    /// None. Spin 4.1's Wasmtime shows a component every header of a message it receives.
    None,
}

type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Io)>> + Send>;
type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Outbound {
    /// The rules for a component.
    #[must_use]
    pub const fn new(component: Arc<Component>, forbidden: Forbidden) -> Self {
        Self {
            component,
            forbidden,
        }
    }
}

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        match self.forbidden {
            Forbidden::Listed => Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name)),
            Forbidden::None => Arc::new(|_| false),
        }
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Sent {
        let target = self.component.target(request.uri());
        Box::new(async move {
            let uri = target?;
            if let Some(authority) = uri.authority() {
                let host = HeaderValue::try_from(authority.as_str())
                    .map_err(|_| Error::HttpRequestUriInvalid)?;
                // A component that passes received headers on passes their Host on, too. Spin replaces it.
                request.headers_mut().insert(HOST, host);
            }
            *request.uri_mut() = uri;
            let (response, io) = default_send_request(request, options).await?;
            Ok((response.map(|body| body.boxed_unsync()), Box::new(io) as Io))
        })
    }
}

impl Component {
    /// Where a request goes, if it may.
    fn target(&self, uri: &Uri) -> Result<Uri> {
        let scheme = uri.scheme_str().unwrap_or("https");
        match uri.authority() {
            // wasmtime-wasi-http gives a request without an authority an empty one.
            Some(authority) if !authority.host().is_empty() && authority.host() != "self.alt" => {
                if self
                    .allowed_hosts
                    .allow(scheme, authority.host(), authority.port_u16())
                {
                    Ok(uri.clone())
                } else {
                    Err(self.denied(scheme, authority.as_str()))
                }
            }
            _ if self.allowed_hosts.allow_self() => own_address(self.address.get(), uri),
            _ => Err(self.denied(scheme, "self")),
        }
    }

    fn denied(&self, scheme: &str, authority: &str) -> Error {
        eprintln!(
            "Component {:?} may not send a request to {scheme}://{authority}: add it to allowed_outbound_hosts.",
            self.id
        );
        Error::HttpRequestDenied
    }
}

fn own_address(address: Option<&SocketAddr>, uri: &Uri) -> Result<Uri> {
    let address = address.ok_or(Error::HttpRequestUriInvalid)?;
    Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query(uri.path_and_query().map_or("/", |path| path.as_str()))
        .build()
        .map_err(|_| Error::HttpRequestUriInvalid)
}

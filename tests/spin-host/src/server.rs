//! The listener: which component gets a request, and how the request looks to it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instance::Factory;
use crate::manifest::Application;
use crate::route::{self, Route};

/// Paths below it are answered by Spin itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// An application that answers requests.
pub struct Server {
    /// Its name and version.
    pub application: Application,
    /// Its routes and what answers them.
    pub routes: Vec<(Route, ProxyHandler<Factory>)>,
}

impl Server {
    /// Answers connections until the listener breaks.
    ///
    /// # Errors
    /// A connection cannot be accepted.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Result<()> {
        loop {
            let (stream, client) = listener
                .accept()
                .await
                .context("cannot accept a connection")?;
            // Spin leaves Nagle's algorithm on, which costs 40 ms here and there.
            stream.set_nodelay(true)?;
            tokio::spawn(Arc::clone(&self).serve_connection(stream, client));
        }
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            async move { server.answer(request, client).await }
        });
        let builder = Builder::new(TokioExecutor::new());
        // A connection that breaks is the client's or the component's affair; tests look at both.
        drop(
            builder
                .serve_connection(TokioIo::new(stream), service)
                .await,
        );
    }

    /// Answers a request. An error closes the connection without an answer, as in Spin.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>> {
        request.headers_mut().remove(CONNECTION);
        let path = request.uri().path().to_owned();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return self.well_known(name);
        }
        let Some((route, handler)) = route::best(&self.routes, &path) else {
            return status(StatusCode::NOT_FOUND);
        };
        *request.uri_mut() = absolute(&request)?;
        let answer = match describe(&mut request, route, &path, client) {
            Ok(()) => {
                let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
                handler
                    .handle((), request)
                    .await
                    .map_err(anyhow::Error::from)
            }
            Err(error) => Err(error),
        };
        answer.or_else(|error| {
            eprintln!("Error processing request: {error:#}");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }

    fn well_known(&self, name: &str) -> Result<Response<WasiBody>> {
        match name {
            "health" => Ok(Response::new(full("OK"))),
            "info" => {
                let mut info = serde_json::Map::new();
                info.insert("name".to_owned(), self.application.name.clone().into());
                if let Some(version) = &self.application.version {
                    info.insert("version".to_owned(), version.clone().into());
                }
                let body = serde_json::to_string_pretty(&info)?;
                Ok(Response::builder()
                    .header(CONTENT_TYPE, "application/json")
                    .body(full(body))?)
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

fn full(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(Error::from).boxed_unsync()
}

fn status(status: StatusCode) -> Result<Response<WasiBody>> {
    Ok(Response::builder()
        .status(status)
        .body(Empty::new().map_err(Error::from).boxed_unsync())?)
}

/// The request's URL with the authority of Host, or its own where it has one.
fn absolute<B>(request: &Request<B>) -> Result<Uri> {
    let host = request
        .headers()
        .get(HOST)
        .map(|host| Authority::try_from(host.as_bytes()).context("the Host header is no authority"))
        .transpose()?;
    let mut parts = request.uri().clone().into_parts();
    parts.authority = Some(match (host, parts.authority) {
        (Some(host), Some(own)) if host != own => {
            bail!("the Host header differs from the URL's authority")
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => bail!("the request has no Host header"),
    });
    parts.scheme = Some(Scheme::HTTP);
    Ok(Uri::from_parts(parts)?)
}

/// Appends Spin's headers after any that the client sent under the same names.
///
/// # Errors
/// A header's value is no UTF-8: Spin answers that with 500.
fn describe<B>(
    request: &mut Request<B>,
    route: &Route,
    path: &str,
    client: SocketAddr,
) -> Result<()> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes())
            .with_context(|| format!("the header {name} is no UTF-8"))?;
    }
    let host = match request.headers().get(HOST) {
        Some(host) => std::str::from_utf8(host.as_bytes())?,
        None => "localhost",
    };
    let path_and_query = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let description = [
        (
            "spin-path-info",
            route.matches(path).unwrap_or_default().to_owned(),
        ),
        ("spin-full-url", format!("http://{host}{path_and_query}")),
        ("spin-matched-route", route.as_str().to_owned()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.as_str().to_owned()),
        ("spin-component-route", route.prefix().to_owned()),
        ("spin-client-addr", client.to_string()),
    ];
    for (name, value) in description {
        request
            .headers_mut()
            .append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, host: Option<&str>) -> Request<()> {
        let mut builder = Request::builder().uri(uri);
        if let Some(host) = host {
            builder = builder.header(HOST, host);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn a_component_sees_an_absolute_url() {
        for (uri, host, expected) in [
            ("/a?b", Some("a.test:1"), Some("http://a.test:1/a?b")),
            ("http://a.test/a", None, Some("http://a.test/a")),
            ("http://a.test/a", Some("a.test"), Some("http://a.test/a")),
            ("http://a.test/a", Some("b.test"), None),
            ("/a", None, None),
            ("/a", Some("a b"), None),
        ] {
            let url = absolute(&request(uri, host))
                .ok()
                .map(|url| url.to_string());
            assert_eq!(url.as_deref(), expected, "{uri} {host:?}");
        }
    }

    #[test]
    fn a_forged_header_stays_before_the_one_of_spin() {
        let mut request = request("http://a.test/a/b?c", Some("a.test"));
        request
            .headers_mut()
            .append("spin-client-addr", HeaderValue::from_static("forged"));
        let client = "127.0.0.1:1".parse().unwrap();
        describe(
            &mut request,
            &Route::parse("/a/...").unwrap(),
            "/a/b",
            client,
        )
        .unwrap();
        let values = |name: &str| -> Vec<&str> {
            request
                .headers()
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect()
        };
        assert_eq!(values("spin-client-addr"), ["forged", "127.0.0.1:1"]);
        assert_eq!(values("spin-full-url"), ["http://a.test/a/b?c"]);
        assert_eq!(values("spin-path-info"), ["/b"]);
        assert_eq!(values("spin-component-route"), ["/a"]);
        assert_eq!(values("spin-raw-component-route"), ["/a/..."]);
        assert_eq!(values("spin-matched-route"), ["/a/..."]);
        assert_eq!(values("spin-base-path"), ["/"]);
    }

    #[test]
    fn a_header_that_is_no_utf_8_is_refused() {
        let mut request = request("http://a.test/", None);
        request
            .headers_mut()
            .append("x", HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(
            describe(
                &mut request,
                &Route::parse("/...").unwrap(),
                "/",
                "127.0.0.1:1".parse().unwrap()
            )
            .is_err()
        );
    }
}

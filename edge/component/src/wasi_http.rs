//! What is done with the types of `wasi:http`, whichever version's bindings they come from.

/// Defines, for the types in a module of bindings and the request type that is sent:
///
/// - `fields(&HeaderMap) -> Result<Fields, FetchError>`: headers as the host takes them;
/// - `aim(&Request, &Method, url) -> Result<(), FetchError>`: who gets a request, with path and query as they are;
/// - `method_named(&str) -> Method` and `name(Method) -> String`;
/// - `url(scheme, authority, target) -> String`: the URL that the host took apart;
/// - `failure(&ErrorCode) -> FetchError`.
///
/// A function `log_problem(what, reason)` has to be there.
#[macro_export]
macro_rules! wasi_http {
    ($($types:ident)::+, $request:ident) => {
        use $crate::gateway::runtime::FetchError;
        use $crate::http::{HeaderMap, Uri};
        use $($types)::+::{ErrorCode, Fields, Method, Scheme, $request};

        /// Headers as the host takes them.
        ///
        /// # Errors
        /// When they are too many; there is a line of log then.
        pub(crate) fn fields(headers: &HeaderMap) -> Result<Fields, FetchError> {
            let reason = match $crate::fields::list(headers) {
                Ok(list) => match Fields::from_list(&list) {
                    Ok(fields) => return Ok(fields),
                    Err(error) => format!("the host does not take the headers: {error}"),
                },
                Err(error) => error.to_string(),
            };
            log_problem("headers", &reason);
            Err(FetchError::Unreachable)
        }

        /// Says what a request is and who gets it; path and query stay as they are.
        ///
        /// # Errors
        /// When the host takes no such method or URL.
        pub(crate) fn aim(request: &$request, method: &Method, url: &str) -> Result<(), FetchError> {
            let url: Uri = url.parse().map_err(|_| FetchError::Unreachable)?;
            let scheme = match url.scheme_str() {
                Some("http") => Scheme::Http,
                Some("https") => Scheme::Https,
                _ => return Err(FetchError::Unreachable),
            };
            let target = url.path_and_query().map(|target| target.as_str());
            request
                .set_method(method)
                .and_then(|()| request.set_scheme(Some(&scheme)))
                .and_then(|()| request.set_authority(url.authority().map(|authority| authority.as_str())))
                .and_then(|()| request.set_path_with_query(target))
                .map_err(|()| FetchError::Unreachable)
        }

        /// The method of this name.
        pub(crate) fn method_named(name: &str) -> Method {
            match name {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "POST" => Method::Post,
                "PUT" => Method::Put,
                "DELETE" => Method::Delete,
                "CONNECT" => Method::Connect,
                "OPTIONS" => Method::Options,
                "TRACE" => Method::Trace,
                "PATCH" => Method::Patch,
                other => Method::Other(other.to_owned()),
            }
        }

        /// The name of a method.
        pub(crate) fn name(method: Method) -> String {
            let name = match method {
                Method::Get => "GET",
                Method::Head => "HEAD",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Delete => "DELETE",
                Method::Connect => "CONNECT",
                Method::Options => "OPTIONS",
                Method::Trace => "TRACE",
                Method::Patch => "PATCH",
                Method::Other(name) => return name,
            };
            name.to_owned()
        }

        /// The URL, put together from the parts that the host took it apart into. What is none comes out as none:
        /// `OPTIONS *`, and a `Host` that reaches into the path.
        pub(crate) fn url(scheme: Option<Scheme>, authority: &str, target: Option<String>) -> String {
            let scheme = match scheme {
                Some(Scheme::Https) => "https",
                Some(Scheme::Http) | None => "http",
                Some(Scheme::Other(_)) => "other",
            };
            let authority = if authority.contains(['/', '?', '#']) {
                ""
            } else {
                authority
            };
            format!("{scheme}://{authority}{}", target.unwrap_or_default())
        }

        /// What a failed request comes to.
        pub(crate) fn failure(error: &ErrorCode) -> FetchError {
            match error {
                ErrorCode::DnsTimeout
                | ErrorCode::ConnectionTimeout
                | ErrorCode::ConnectionReadTimeout
                | ErrorCode::ConnectionWriteTimeout
                | ErrorCode::HttpResponseTimeout => FetchError::Timeout,
                _ => FetchError::Unreachable,
            }
        }
    };
}

//! Requests of the command's own, over HTTP: to a running gateway, and to the services of a policy.
//!
//! No redirect is followed, every request has a time limit and every answer a size limit.

use std::time::Duration;

use http::{HeaderMap, Method, Request};
use ureq::{Agent, Error, Timeout};
use url::{Host, Url};

/// A connection that is not there by then will not be.
const CONNECT: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `None` where it is larger than was allowed.
    pub(crate) body: Option<Vec<u8>>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    /// Nothing is added to them but what HTTP needs, and `User-Agent` where the command speaks for itself.
    pub(crate) headers: HeaderMap,
    /// Whether it speaks for somebody else.
    pub(crate) is_of_another: bool,
    pub(crate) body: &'a [u8],
    /// For everything, the body included.
    pub(crate) patience: Duration,
    /// Bytes of the answer's body.
    pub(crate) largest: usize,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) is_late: bool,
    /// What to tell. No header and no body is in it.
    pub(crate) reason: String,
}

/// Asks.
///
/// # Errors
/// When there is no answer.
pub(crate) fn ask(question: &Question<'_>) -> Result<Reply, Unanswered> {
    let refused = |reason: String| Unanswered {
        is_late: false,
        reason,
    };
    let url =
        Url::parse(question.url).map_err(|error| refused(format!("it is no URL: {error}")))?;
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(if question.is_of_another {
            ""
        } else {
            concat!("edgekeeper/", env!("CARGO_PKG_VERSION"))
        })
        .accept("")
        .accept_encoding("")
        .timeout_connect(Some(CONNECT.min(question.patience)))
        .timeout_global(Some(question.patience));
    // What goes to this machine must not leave it in plain text by a proxy.
    if is_loopback(&url) {
        config = config.proxy(None);
    }
    let agent: Agent = config.build().into();
    let method = Method::from_bytes(question.method.as_bytes())
        .map_err(|_| refused("the method is none".to_owned()))?;
    let mut request = Request::new(question.body);
    *request.method_mut() = method;
    *request.headers_mut() = question.headers.clone();
    *request.uri_mut() = question
        .url
        .parse()
        .map_err(|_| refused("it is no URL that can be asked".to_owned()))?;
    let answer = if question.body.is_empty() {
        agent.run(request.map(|_| ()))
    } else {
        agent.run(request)
    };
    let (parts, body) = answer.map_err(|error| unanswered(&error))?.into_parts();
    let limit = u64::try_from(question.largest).unwrap_or(u64::MAX);
    let body = match body.into_with_config().limit(limit).read_to_vec() {
        Ok(body) => Some(body),
        Err(Error::BodyExceedsLimit(_)) => None,
        Err(error) => return Err(unanswered(&error)),
    };
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

fn unanswered(error: &Error) -> Unanswered {
    let (is_late, reason) = match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            (true, "no connection in time".to_owned())
        }
        Error::Timeout(_) => (true, "no answer in time".to_owned()),
        Error::HostNotFound => (false, "its host has no address".to_owned()),
        Error::ConnectionFailed => (false, "nobody takes the connection".to_owned()),
        // What is no record of TLS is told so, wherever it comes from.
        other if other.to_string().contains("InvalidContentType") => (
            false,
            "it does not answer by https; is it plain http?".to_owned(),
        ),
        Error::Io(error) => (false, crate::files::reason(error)),
        other => (false, other.to_string()),
    };
    Unanswered { is_late, reason }
}

/// Whether what is signed or secret may go to this URL: by https, or to this machine.
pub(crate) fn is_confidential(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one connection with these bytes, and tells what it was sent.
    fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut sent = vec![0; 4096];
            let count = stream.read(&mut sent).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            if answer.is_empty() {
                // It stays open and silent until the client has gone.
                let _ = stream.read(&mut sent);
            }
            String::from_utf8_lossy(&sent[..count]).into_owned()
        });
        (url, thread)
    }

    fn get(url: &str, largest: usize) -> Result<Reply, Unanswered> {
        ask(&Question {
            method: "GET",
            url,
            headers: HeaderMap::new(),
            is_of_another: false,
            body: b"",
            patience: Duration::from_millis(500),
            largest,
        })
    }

    #[test]
    fn an_answer_is_told_as_it_is_and_no_redirect_is_followed() {
        let (url, server) = server(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 2\r\n\r\nhi",
        );
        let reply = get(&url, 100).unwrap();
        assert_eq!(
            (reply.status, reply.body.as_deref()),
            (302, Some(&b"hi"[..]))
        );
        assert_eq!(reply.headers["location"], "http://127.0.0.1:9/");
        let sent = server.join().unwrap();
        assert!(sent.starts_with("GET /path HTTP/1.1\r\n"), "{sent}");
        assert!(
            sent.to_lowercase().contains("user-agent: edgekeeper/"),
            "{sent}"
        );
    }

    #[test]
    fn an_answer_that_is_too_large_is_not_read() {
        let (url, _server) = server("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
        assert!(get(&url, 10).unwrap().body.is_none());
    }

    #[test]
    fn plain_http_in_place_of_https_is_told() {
        let (url, _server) = server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let error = get(&url.replace("http://", "https://"), 10).unwrap_err();
        assert_eq!(
            error.reason,
            "it does not answer by https; is it plain http?"
        );
    }

    #[test]
    fn silence_ends() {
        let (url, _server) = server("");
        let error = get(&url, 10).unwrap_err();
        assert!(error.is_late, "{}", error.reason);
        assert_eq!(error.reason, "no answer in time");
        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = get(&format!("http://{nobody}/"), 10).unwrap_err();
        assert!(
            !error.is_late && error.reason.to_lowercase().contains("connection"),
            "{}",
            error.reason
        );
    }

    #[test]
    fn what_is_secret_goes_by_https_or_stays_on_this_machine() {
        for (url, expected) in [
            ("https://app.example.com/", true),
            ("http://localhost:8787/", true),
            ("http://app.localhost/", true),
            ("http://127.0.0.1:8787/", true),
            ("http://[::1]:8787/", true),
            ("http://app.example.com/", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
            ("ftp://localhost/", false),
        ] {
            assert_eq!(
                is_confidential(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}

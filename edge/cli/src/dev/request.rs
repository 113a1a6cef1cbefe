//! What a browser asks the page's server for, and whether it may.

use std::net::IpAddr;

/// No head is longer, in bytes.
pub(super) const LONGEST: usize = 8 << 10;

/// More headers than these no browser sends.
const MOST_HEADERS: usize = 64;

/// What is served.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Page,
    /// The decisions, after the last one that was seen.
    Events {
        last: Option<Last>,
    },
}

/// Where a stream of events broke off: `Last-Event-ID`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) run: String,
    pub(super) number: u64,
}

/// Why nothing is served: a status, and what it means.
pub(super) type Refused = (u16, &'static str);

/// Reads a request from its head.
///
/// Whoever is on this machine may ask. A page of elsewhere, which a browser would ask for, may not: its name in `Host` is refused, so
/// that no name can be turned to this address (DNS rebinding), and so is what comes from another origin.
///
/// # Errors
/// What to answer instead.
pub(super) fn read(head: &[u8]) -> Result<Wanted, Refused> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) | Err(_) => {
            return Err((400, "This is no request of HTTP/1.1."));
        }
    }
    let values = |wanted: &str| -> Vec<&str> {
        let found = request
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(wanted));
        found
            .map(|header| std::str::from_utf8(header.value).unwrap_or("?").trim())
            .collect()
    };
    let host = match values("host").as_slice() {
        [host] if is_here(host) => (*host).to_owned(),
        _ => {
            return Err((
                421,
                "Open this page by the address of this machine, such as http://127.0.0.1:4477/, and not by a name.",
            ));
        }
    };
    let origins = values("origin");
    let is_own = |origin: &&str| **origin == format!("http://{host}");
    if !origins.iter().all(is_own) {
        return Err((403, "Only this page may ask for this."));
    }
    if request.method != Some("GET") {
        return Err((405, "Only GET is served here."));
    }
    let path = request.path.unwrap_or_default();
    match path.split_once('?').map_or(path, |(path, _)| path) {
        "/" => Ok(Wanted::Page),
        "/events" => {
            if values("sec-fetch-site")
                .iter()
                .any(|site| *site != "same-origin")
            {
                return Err((403, "Only this page may ask for this."));
            }
            let last = values("last-event-id")
                .first()
                .and_then(|id| Last::read(id));
            Ok(Wanted::Events { last })
        }
        _ => Err((404, "There are / and /events here.")),
    }
}

impl Last {
    fn read(id: &str) -> Option<Self> {
        let (run, number) = id.rsplit_once('-')?;
        Some(Self {
            run: run.to_owned(),
            number: number.parse().ok()?,
        })
    }
}

/// Whether a `Host` is an address or `localhost`, which no server of names can turn to another machine.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(first: &str, headers: &[&str]) -> Result<Wanted, Refused> {
        let text = format!("{first} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"));
        read(text.as_bytes())
    }

    #[test]
    fn the_page_and_its_events_are_served_to_this_machine() {
        for host in [
            "127.0.0.1:4477",
            "localhost:4477",
            "LOCALHOST",
            "[::1]:4477",
            "192.168.1.5",
        ] {
            let host = format!("Host: {host}");
            assert_eq!(head("GET /?x", &[&host]), Ok(Wanted::Page), "{host}");
            let events = head("GET /events", &[&host, "Sec-Fetch-Site: same-origin"]);
            assert_eq!(events, Ok(Wanted::Events { last: None }), "{host}");
        }
        let last = Some(Last {
            run: "ab".to_owned(),
            number: 7,
        });
        let headers = [
            "host: localhost:1",
            "origin: http://localhost:1",
            "last-event-id: ab-7",
        ];
        assert_eq!(head("GET /events", &headers), Ok(Wanted::Events { last }));
        let headers = ["host: localhost:1", "last-event-id: nonsense"];
        assert_eq!(
            head("GET /events", &headers),
            Ok(Wanted::Events { last: None })
        );
    }

    #[test]
    fn pages_of_elsewhere_are_not() {
        for (first, headers, status) in [
            ("GET /", &[][..], 421),
            ("GET /", &["host: evil.example"], 421),
            ("GET /", &["host: evil.example:4477"], 421),
            ("GET /", &["host: 127.0.0.1.evil.example"], 421),
            ("GET /", &["host: localhost.evil.example"], 421),
            ("GET /", &["host: [::1"], 421),
            ("GET /", &["host:"], 421),
            ("GET /", &["host: localhost", "host: localhost"], 421),
            (
                "GET /events",
                &["host: localhost", "origin: http://evil.example"],
                403,
            ),
            (
                "GET /events",
                &["host: localhost:1", "origin: http://localhost:2"],
                403,
            ),
            ("GET /", &["host: localhost", "origin: null"], 403),
            (
                "GET /events",
                &["host: localhost", "sec-fetch-site: cross-site"],
                403,
            ),
            (
                "GET /events",
                &["host: localhost", "sec-fetch-site: none"],
                403,
            ),
            (
                "GET /events",
                &["host: localhost", "sec-fetch-site: same-site"],
                403,
            ),
            ("POST /", &["host: localhost"], 405),
            ("OPTIONS /events", &["host: localhost"], 405),
            ("GET /other", &["host: localhost"], 404),
            ("GET //", &["host: localhost"], 404),
            ("GET", &["host: localhost"], 400),
        ] {
            let found = head(first, headers).map_err(|(status, _)| status);
            assert_eq!(found, Err(status), "{first} {headers:?}");
        }
        let many = vec!["a: b"; 65];
        assert_eq!(head("GET /", &many).map_err(|refused| refused.0), Err(400));
        for bytes in [
            &b""[..],
            b"\x16\x03\x01",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n",
            b"GET / HTTP/1.1\r\nHo\xffst: a\r\n\r\n",
        ] {
            assert!(read(bytes).is_err());
        }
    }
}

//! A question that is asked again while its service fails, as hashicorp's `go-retryablehttp` does for Oathkeeper.

use edgekeeper_policy::retry::Retry;
use http::header::RETRY_AFTER;

use crate::runtime::{FetchError, Inbound, Outbound, Runtime};

/// How patient a handler is, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// How often it asks.
    tries: u32,
    /// The wait after the first try; it doubles with each one.
    first_wait: u64,
    /// The longest wait that is not the service's own wish (`Retry-After`).
    longest_wait: u64,
    /// The longest time for one try.
    one_try: u64,
    /// The longest time for all tries and all waits.
    all: u64,
    /// How all waits together are kept within bounds.
    waits: Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// A wait that does not fit is the end: nobody asked may be any wiser then.
    WithinAll,
    /// Waits are cut, so that there are as many tries as in Oathkeeper.
    Cut(u64),
}

/// How often Oathkeeper asks.
const TRIES: u32 = 5;

/// What Oathkeeper waits after the first try, in milliseconds.
const FIRST_WAIT: u64 = 1_000;

/// What all waits together may take in strict mode, in milliseconds. Oathkeeper waits as long as a service tells it to.
const ALL_WAITS: u64 = 5_000;

/// What all tries and waits together may take in strict mode, in milliseconds.
const ALL: u64 = 15_000;

impl Patience {
    /// By default: `give_up_after` is a deadline, `max_delay` the longest wait.
    pub(crate) fn of(retry: Retry) -> Self {
        Self {
            tries: TRIES,
            first_wait: retry.max_delay.min(FIRST_WAIT) / 4,
            longest_wait: retry.max_delay,
            one_try: retry.give_up_after,
            all: retry.give_up_after,
            waits: Waits::WithinAll,
        }
    }

    /// As Oathkeeper's authorizers: `give_up_after` is the longest wait between two tries.
    pub(crate) fn of_authorizer(retry: Retry, one_try: u64) -> Self {
        Self::strict(TRIES, retry.give_up_after, one_try)
    }

    /// As Oathkeeper's hydrator: `max_delay` is the longest wait, `give_up_after` bounds each try.
    pub(crate) fn of_hydrator(retry: Retry, one_try: u64) -> Self {
        let one_try = match retry.give_up_after {
            0 => one_try,
            own => own.min(one_try),
        };
        Self::strict(TRIES, retry.max_delay, one_try)
    }

    /// With Keto, whose handlers have no `retry`. Oathkeeper asks it six times with a tenth of a second between.
    pub(crate) fn of_keto(one_try: u64, strict: bool) -> Self {
        if strict {
            Self::strict(6, 100, one_try)
        } else {
            Self::of(Retry {
                max_delay: 100,
                give_up_after: one_try,
            })
        }
    }

    fn strict(tries: u32, longest_wait: u64, one_try: u64) -> Self {
        Self {
            tries,
            first_wait: FIRST_WAIT,
            longest_wait,
            one_try,
            all: ALL,
            waits: Waits::Cut(ALL_WAITS),
        }
    }
}

/// Nobody answered, or only with a failure.
#[derive(Debug)]
pub(crate) struct GaveUp {
    /// How often it was tried.
    pub(crate) tries: u32,
    /// How the last try ended.
    pub(crate) last: Result<Inbound, FetchError>,
}

impl GaveUp {
    /// What a service wished for that answered last, in seconds.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.last.as_ref().ok().and_then(retry_after)
    }

    /// What happened, for the log.
    pub(crate) fn reason(&self) -> String {
        match &self.last {
            Ok(inbound) => format!("it answered with status {}", inbound.status),
            Err(error) => error.reason().to_owned(),
        }
    }

    /// Go's words for it, for a request with this method and URL.
    pub(crate) fn in_gos_words(&self, method: &str, url: &str) -> String {
        let tries = format!("{method} {url} giving up after {} attempt(s)", self.tries);
        match self.last {
            Ok(_) => tries,
            Err(error) => format!("{tries}: {}", no_answer(method, url, error)),
        }
    }
}

/// Go's words for a request that nobody answered.
pub(crate) fn no_answer(method: &str, url: &str, error: FetchError) -> String {
    let verb = capitalized(method);
    match error {
        FetchError::Unreachable => format!(
            "{verb} \"{url}\": dial tcp {}: connect: connection refused",
            address(url)
        ),
        FetchError::Timeout => format!(
            "{verb} \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        ),
    }
}

/// `POST` as Go's `url.Error` writes it: `Post`.
pub(crate) fn capitalized(method: &str) -> String {
    let mut letters = method.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{first}{}", letters.as_str().to_ascii_lowercase())
    })
}

/// Host and port of a URL.
pub(crate) fn address(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    match (has_port, scheme) {
        (true, _) => authority.to_owned(),
        (false, "https") => format!("{authority}:443"),
        (false, _) => format!("{authority}:80"),
    }
}

/// Asks until there is an answer that trying again would not change.
///
/// # Errors
/// [`GaveUp`] after as many tries, or as much time, as patience allows.
pub(crate) async fn fetch<R: Runtime>(
    runtime: &R,
    outbound: &Outbound,
    patience: Patience,
) -> Result<Inbound, GaveUp> {
    let begun = runtime.now();
    let mut wait = patience.first_wait;
    let mut waited = 0_u64;
    let mut tries = 0_u32;
    loop {
        let spent = runtime.now().saturating_sub(begun);
        let question = Outbound {
            timeout: patience
                .one_try
                .min(patience.all.saturating_sub(spent))
                .max(1),
            ..outbound.clone()
        };
        tries = tries.saturating_add(1);
        let last = runtime.ask(question).await;
        let last = match last {
            Ok(inbound) if !is_worth_trying_again(inbound.status) => return Ok(inbound),
            last => last,
        };
        let wished = last
            .as_ref()
            .ok()
            .filter(|inbound| matches!(inbound.status, 429 | 503))
            .and_then(retry_after)
            .map(|seconds| seconds.saturating_mul(1_000));
        let mut next = wished.unwrap_or(wait.min(patience.longest_wait));
        if let Waits::Cut(all) = patience.waits {
            next = next.min(all.saturating_sub(waited));
        }
        let spent = runtime.now().saturating_sub(begun);
        if tries >= patience.tries || spent.saturating_add(next) >= patience.all {
            return Err(GaveUp { tries, last });
        }
        if next > 0 {
            runtime.sleep(next).await;
        }
        waited = waited.saturating_add(next);
        wait = wait.saturating_mul(2);
    }
}

/// 429, and what a server itself calls its fault; 501 will not change.
fn is_worth_trying_again(status: u16) -> bool {
    status == 429 || status >= 500 && status != 501
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3). A date is not read: no wait here lasts as long as clocks differ.
fn retry_after(inbound: &Inbound) -> Option<u64> {
    inbound
        .headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

//! What an instance knows of revocations, and whether what it remembers of a session still stands.
//!
//! The rule: what was learned of a session serves only while it, or the list of marks that it was held against, is at most
//! `session.revocation_check` old, and only if no mark makes it void. While the store fails, Kratos is therefore asked once
//! per session in that time; while Kratos fails as well, nobody is let in.
//!
//! One list serves all requests of an instance. It is read behind a response when half of its time is over, so that usually
//! nobody waits for it.

use std::cell::RefCell;
use std::rc::Rc;

use edgekeeper_policy::session::Session as Settings;
use edgekeeper_session::cache::Entry;
use edgekeeper_session::freshness::SKEW;
use edgekeeper_session::marks::{Learned, Marks};
use edgekeeper_session::revocation::message::Message;
use edgekeeper_session::revocation::{self, Mark, PREFIX};
use edgekeeper_session::whoami::Verdict;
use serde_json::Value;

use crate::Gateway;
use crate::complaints::Complaints;
use crate::news::{LOOK_AGAIN, News, PATIENCE, Reading};
use crate::patience::within;
use crate::problem;
use crate::runtime::{Runtime, Unavailable, seconds};

/// How many ended marks are taken off at a time.
const MOST_TAKEN_OFF: usize = 32;

/// For how long an answer that was asked for before a session ended can still come, in seconds.
const ON_ITS_WAY: u64 = 120;

/// What an instance knows of revocations.
#[derive(Debug)]
pub(crate) struct Revocations {
    /// How old (milliseconds) what is known may be; `None` where nobody can revoke.
    check: Option<u64>,
    state: Rc<State>,
}

/// What is the same under every policy. Every borrow ends before anybody awaits.
#[derive(Debug, Default)]
struct State {
    marks: RefCell<Marks>,
    /// When the list was read.
    news: Rc<News>,
    complaints: Complaints,
}

/// Whether what was learned of a session still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It may serve.
    Yes,
    /// A mark has made it void: Kratos is to be asked anew.
    Revoked,
    /// Nobody can tell, as the marks cannot be read: Kratos is to be asked anew, and it serves nobody meanwhile.
    Unknown,
}

/// What was learned of a session, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    document: &'a Value,
    learned: Learned,
    /// When the request came in that wants to know, in Unix milliseconds.
    since: u64,
    /// From when on (Unix milliseconds) a list is news to it, however long that took.
    listed_since: Option<u64>,
}

impl<'a> Known<'a> {
    /// What was told from outside: by another instance, or by this one through a browser. Kratos was asked at `asked` (Unix
    /// milliseconds).
    pub(crate) fn told(document: &'a Value, asked: u64) -> Self {
        Self {
            document,
            learned: Learned { asked, heard: None },
            since: u64::MAX,
            listed_since: None,
        }
    }

    /// What the memory holds; `None` for a refusal, which cannot be revoked.
    fn remembered(entry: &'a Entry, since: u64) -> Option<Self> {
        let Verdict::Active(session) = &entry.verdict else {
            return None;
        };
        Some(Self {
            document: &session.document,
            learned: Learned {
                asked: entry.asked,
                heard: entry.heard,
            },
            since,
            listed_since: None,
        })
    }

    /// Whether Kratos was asked about it since the request came in, which is as good as if the request had asked itself.
    fn is_of_this_request(&self) -> bool {
        self.learned.heard.is_some() && self.learned.asked >= self.since
    }
}

impl Revocations {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            check: settings
                .revocation_secret
                .is_some()
                .then(|| settings.revocation_check.saturating_mul(1_000)),
            state: Rc::default(),
        }
    }

    /// The same knowledge under the next policy.
    pub(crate) fn under_next(&self, settings: &Settings) -> Self {
        Self {
            state: Rc::clone(&self.state),
            ..Self::new(settings)
        }
    }

    /// How many marks the instance has heard of: what it asks Kratos now is asked after them.
    pub(crate) fn heard(&self) -> u64 {
        self.state.marks.borrow().count()
    }

    /// Whether the instance has heard of a mark that makes an answer void since it asked; `heard` is [`Self::heard`] of then.
    pub(crate) fn was_revoked_since(&self, document: &Value, heard: u64) -> bool {
        let learned = Learned {
            asked: 0,
            heard: Some(heard),
        };
        self.state.marks.borrow().revoke(document, learned)
    }

    /// [`entry_stands`] by what is known at an instant (Unix milliseconds), without a look at the store.
    pub(crate) fn lets_stand(&self, entry: &Entry, since: u64, now: u64) -> bool {
        Known::remembered(entry, since).is_none_or(|known| self.judge(&known, now) == Stands::Yes)
    }

    /// Whether something stands by what is known at an instant (Unix milliseconds).
    fn judge(&self, known: &Known<'_>, now: u64) -> Stands {
        let Some(check) = self.check else {
            return Stands::Yes;
        };
        if !revocation::can_name(known.document) {
            return Stands::Yes;
        }
        if self
            .state
            .marks
            .borrow()
            .revoke(known.document, known.learned)
        {
            return Stands::Revoked;
        }
        let has_news = known
            .listed_since
            .is_some_and(|since| self.state.news.latest() >= Some(since));
        if known.is_of_this_request() || has_news || self.age(known, now) <= check {
            Stands::Yes
        } else {
            Stands::Unknown
        }
    }

    /// How old (milliseconds) the latest news of a session are. What is from the future, since a clock was set back, is none.
    fn age(&self, known: &Known<'_>, now: u64) -> u64 {
        // What others asked is as old as their clocks say, which differ from this one.
        let differs = if known.learned.heard.is_none() {
            SKEW.saturating_mul(1_000)
        } else {
            0
        };
        let asked = known.learned.asked.saturating_sub(differs);
        [Some(asked), self.state.news.latest()]
            .into_iter()
            .flatten()
            .filter_map(|at| now.checked_sub(at))
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Whether the list is to be read behind the response, before anybody has to wait for it.
    fn is_due(&self, known: &Known<'_>, now: u64) -> bool {
        self.check
            .and_then(|check| check.checked_div(2))
            .is_some_and(|half| self.age(known, now) > half)
            && revocation::can_name(known.document)
    }

    /// Learns of a mark.
    fn learn(&self, mark: &Mark) {
        self.state.marks.borrow_mut().learn(mark);
    }

    fn complain<R: Runtime>(&self, runtime: &R, error: &Unavailable) {
        if self.state.complaints.are_due(runtime.now()) {
            let reason =
                format!("the revocations cannot be read, so Kratos is asked more often: {error}");
            runtime.log(&problem::line("revocations", &reason));
        }
    }
}

/// Whether what the memory holds still stands, for a request that came in at `since` (Unix milliseconds); see [`stands`].
pub(crate) async fn entry_stands<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    entry: &Entry,
    since: u64,
) -> Stands {
    match Known::remembered(entry, since) {
        Some(known) => stands(gateway, runtime, &known).await,
        None => Stands::Yes,
    }
}

/// Whether what was learned of a session still stands. Reads the list of marks if what is known is too old, or has it read
/// behind the response before it is.
pub(crate) async fn stands<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    known: &Known<'_>,
) -> Stands {
    let own = gateway.revocations();
    let now = runtime.now();
    let stands = own.judge(known, now);
    if stands == Stands::Yes && own.is_due(known, now) {
        list_later(gateway, runtime, now);
    }
    if stands != Stands::Unknown {
        return stands;
    }
    if own.state.news.failed().is_some() {
        // Nobody waits for a store that fails: it is tried again behind a response.
        list_later(gateway, runtime, now);
        return stands;
    }
    let give_up = now.saturating_add(PATIENCE);
    // A list that was asked for meanwhile is news, however long it took.
    let known = Known {
        listed_since: Some(now),
        ..*known
    };
    loop {
        let now = runtime.now();
        let stands = own.judge(&known, now);
        if stands != Stands::Unknown || own.state.news.failed().is_some() || now >= give_up {
            return stands;
        }
        if let Some(reading) = own.state.news.begin(now) {
            // How it went is known to all.
            drop(list(gateway, runtime, reading).await);
            return own.judge(&known, runtime.now());
        }
        runtime.sleep(LOOK_AGAIN).await;
    }
}

/// Reads the list behind the response.
fn list_later<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R, now: u64) {
    let behind = Rc::clone(gateway);
    let news = &gateway.revocations().state.news;
    news.read_later(runtime, now, |runtime, reading| async move {
        // How it went is known to all.
        drop(list(&behind, &runtime, reading).await);
    });
}

/// Reads the list of marks.
///
/// # Errors
/// When the store fails or takes too long; it is said in the log.
async fn list<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    reading: Reading,
) -> Result<(), Unavailable> {
    let own = gateway.revocations();
    let asked = runtime.now();
    let listed = within(runtime, PATIENCE, runtime.names(PREFIX)).await;
    let now = runtime.now();
    let listed = listed.unwrap_or_else(|| {
        Err(Unavailable(format!(
            "the store did not list them within {PATIENCE} ms"
        )))
    });
    let names = match listed {
        Ok(names) => names,
        Err(error) => {
            own.state.news.fail(now);
            own.complain(runtime, &error);
            return Err(error);
        }
    };
    let mut ended = Vec::new();
    for name in names {
        let Some(mark) = Mark::read(&name) else {
            continue;
        };
        if mark.has_ended(seconds(now)) {
            ended.push(name);
        } else {
            own.learn(&mark);
        }
    }
    own.state.marks.borrow_mut().drop_ended(seconds(now));
    own.state.news.came(asked);
    drop(reading);
    take_off(runtime, ended);
    Ok(())
}

/// Takes off marks that have ended, behind the response, for a store that does not do so by itself.
fn take_off<R: Runtime>(runtime: &R, mut ended: Vec<String>) {
    if ended.is_empty() {
        return;
    }
    ended.truncate(MOST_TAKEN_OFF);
    let own = runtime.clone();
    runtime.later(async move {
        for name in ended {
            // Whoever reads the list next tries again.
            if own.delete(&name).await.is_err() {
                return;
            }
        }
    });
}

/// Until when (Unix seconds) anything that Kratos said before `now` could serve.
pub(crate) fn matter_until(settings: &Settings, now: u64) -> u64 {
    now.saturating_add(settings.ttl)
        .saturating_add(settings.stale_while_revalidate.max(settings.stale_if_error))
        .saturating_add(ON_ITS_WAY)
}

/// When a message had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It has it now.
    Now,
    /// It had it before.
    Before,
}

/// Writes the mark that a message asks for, and goes by it at once. A message that has had its effect has no other.
///
/// # Errors
/// When the store fails. The message can be sent again.
pub(crate) async fn revoke<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    message: &Message,
) -> Result<Effect, Unavailable> {
    let own = gateway.revocations();
    let knows = || own.state.marks.borrow().know(message.hash);
    if knows() {
        return Ok(Effect::Before);
    }
    let reading = own.state.news.begin_at_once(runtime.now());
    list(gateway, runtime, reading).await?;
    if knows() {
        return Ok(Effect::Before);
    }
    let at = runtime.now();
    let mark = Mark {
        subject: message.subject,
        at,
        // The message could come again.
        until: matter_until(&gateway.policy().session, seconds(at))
            .max(message.expires.saturating_add(SKEW)),
        message: message.hash,
    };
    let name = mark.name();
    let write = runtime.put_until(&name, "revoked", mark.until.saturating_add(SKEW));
    within(runtime, PATIENCE, write).await.unwrap_or_else(|| {
        Err(Unavailable(format!(
            "the store did not write a mark within {PATIENCE} ms"
        )))
    })?;
    own.learn(&mark);
    Ok(Effect::Now)
}

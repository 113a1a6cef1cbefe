//! Which policy is in force somewhere.

use edgekeeper_gateway::policies::{Change, Current, Version};
use serde_json::{Value, json};

use crate::time::utc;

/// What is in force, and what was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) in_force: Past,
    /// What was before, newest first.
    pub(super) history: Vec<Past>,
    /// The version that the gateway was deployed with, where it is known.
    pub(super) deployed: Option<String>,
    /// Why the gateway could not take what the store says.
    pub(super) problem: Option<String>,
}

/// One change of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Past {
    /// 0 where nothing was pushed yet.
    pub(super) number: u64,
    /// `None` for the deployed one.
    pub(super) version: Option<String>,
    /// Unix seconds.
    pub(super) at: u64,
}

/// A policy that can be put in force again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Deployed,
    /// By the first 16 digits of its hash.
    Version(String),
}

impl Named {
    pub(super) fn of(version: Option<&str>) -> Self {
        match version {
            Some(version) => Self::Version(version.to_owned()),
            None => Self::Deployed,
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Deployed => "the deployed policy".to_owned(),
            Self::Version(version) => format!("policy {version}"),
        }
    }
}

impl Past {
    fn of(change: &Change) -> Self {
        Self {
            number: change.number,
            version: change
                .version
                .as_ref()
                .map(|version| version.short().to_owned()),
            at: change.at,
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let version = match value.get("version")? {
            Value::Null => None,
            version => Some(version.as_str()?.to_owned()),
        };
        Some(Self {
            number: value.get("number")?.as_u64()?,
            version,
            at: value.get("at")?.as_u64()?,
        })
    }

    pub(super) fn named(&self) -> Named {
        Named::of(self.version.as_deref())
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match (self.number, &self.version) {
            (0, _) => "the deployed policy; nothing was pushed yet".to_owned(),
            (number, version) => {
                let policy = Named::of(version.as_deref()).shown();
                format!("{policy}, change {number} of {}", utc(self.at))
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "number": self.number, "version": self.version, "at": self.at })
    }
}

impl State {
    /// Of what lies in a store.
    pub(super) fn of(current: &Current) -> Self {
        Self {
            in_force: Past::of(&current.in_force),
            history: current.history.iter().map(Past::of).collect(),
            deployed: None,
            problem: None,
        }
    }

    /// Of what a gateway tells; `None` where that is something else.
    pub(super) fn read(told: &Value) -> Option<Self> {
        let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut in_force = Past::read(told)?;
        // A gateway tells the version of the deployed one, too.
        if text("source")? == "deployed" {
            in_force.version = None;
        }
        let history = told.get("history")?.as_array()?;
        Some(Self {
            in_force,
            history: history.iter().map(Past::read).collect::<Option<_>>()?,
            deployed: text("deployed"),
            problem: text("problem"),
        })
    }

    /// Whether this very policy is in force.
    pub(super) fn has(&self, version: &Version) -> bool {
        let in_force = match &self.in_force.version {
            Some(version) => Some(version),
            None => self.deployed.as_ref(),
        };
        in_force.is_some_and(|short| short == version.short())
    }

    /// What was in force before, and was another one.
    pub(super) fn previous(&self) -> Option<Named> {
        let other = self
            .history
            .iter()
            .find(|past| past.version != self.in_force.version);
        match other {
            Some(past) => Some(past.named()),
            // Before the first push it was the deployed one, which the history does not have.
            None if self.in_force.version.is_some() => Some(Named::Deployed),
            None => None,
        }
    }
}

//! Policies by version: how they lie in the key-value store.
//!
//! - `policy/<version>` ([`Version::name`]): a document as `edgekeeper build` writes it. It is not secret and not sealed; its
//!   hash makes its name, so nobody can change it there unnoticed.
//! - `policy/current` ([`CURRENT`]): which of them is in force, sealed under `KEYS_SECRET`: see [`Current`].
//!
//! Whoever puts a policy in force writes the document first, then the pointer. The gateway reads both by
//! [`Deployment`](crate::Deployment); the command writes them with what is here.
//!
//! ```
//! use edgekeeper_gateway::policies::{CURRENT, Current, Version};
//! use edgekeeper_token::seal::Sealer;
//!
//! let document = r#"{"format":2,"errors":[],"rules":[]}"#;
//! let version = Version::of(document);
//! assert_eq!(version.name(), format!("policy/{}", version.short()));
//!
//! let sealer = Sealer::for_policies(b"0123456789abcdef0123456789abcdef")?;
//! let current = Current::default().followed_by(Some(version.clone()), 1_790_000_000);
//! // The nonce has to be random.
//! let entry = current.seal(&sealer, [7; 24])?;
//! let read = Current::open(&sealer, &entry)?;
//! assert_eq!((read.in_force.number, &read.in_force.version), (1, &Some(version)));
//! assert_eq!(CURRENT, "policy/current");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod current;
mod version;

pub use self::current::{Change, Current, CurrentError, LONGEST_HISTORY};
pub(crate) use self::version::entry_name;
pub use self::version::{Version, is_short};

/// The entry that says which policy is in force.
pub const CURRENT: &str = "policy/current";

/// The largest document that is pushed, in bytes.
pub const LARGEST: usize = 8 << 20;

//! A key-value store in a folder, for runtimes that give the gateway one and nothing better.
//!
//! It knows `std::fs` and no runtime, so it is tested where everything is at hand: disks that are full or read-only,
//! files that are not ours, writers that were cut off.
//!
//! ```
//! use edgekeeper_folder::{Durability, Store};
//!
//! let folder = std::env::temp_dir().join(format!("edgekeeper-folder-example-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let store = Store::new(&folder);
//! assert_eq!(store.add("keys/692", "first", Durability::Durable)?, true);
//! assert_eq!(store.add("keys/692", "second", Durability::Durable)?, false);
//! assert_eq!(store.read("keys/692")?.as_deref(), Some("first"));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod store;

pub use store::{Durability, Store};

//! Bodies of `wasi:http` 0.2 on their way from one side to the other, each at the pace of whoever reads it.
//!
//! There is nothing of the gateway in here. A [`Source`] is a body that came in, or one that is held in memory; given somewhere to go it is a [`Pipe`].
//! [`Exchange`] moves both bodies of a request at the same time: an upstream may answer before it has read, and a client
//! may read before it has written. What waits in memory is one chunk in each direction.
//!
//! ```no_run
//! use edgekeeper_pipe::{Broken, Exchange, Source};
//! use wasi::http::types::{IncomingBody, OutgoingBody};
//!
//! fn back(incoming: IncomingBody, headers: &http::HeaderMap, outgoing: OutgoingBody) -> Result<(), Broken> {
//!     let download = Source::open(incoming, headers)?.and_then(|source| source.into(outgoing));
//!     Exchange::new(None).run(download);
//!     Ok(())
//! }
//! ```

mod exchange;
mod pipe;
mod wait;

pub use exchange::{Exchange, Late};
pub use pipe::{Broken, Pipe, Progress, Source};
pub use wait::{timer, write};

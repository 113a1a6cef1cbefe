//! The body of the client's request, for the handlers that show it to somebody.

use std::cell::RefCell;
use std::rc::Rc;

use crate::refusal::Refusal;
use crate::runtime::{FetchError, RequestBody};

/// The largest body a handler may ask for, in bytes: it is held in memory.
const LARGEST: usize = 8 << 20;

/// The body, read when it is first asked for.
pub(crate) struct Body<B> {
    source: B,
    read: RefCell<Option<Rc<Vec<u8>>>>,
}

impl<B: RequestBody> Body<B> {
    pub(crate) fn new(source: B) -> Self {
        Self {
            source,
            read: RefCell::new(None),
        }
    }

    /// The whole of it.
    ///
    /// # Errors
    /// 413 when it is too large to be held, 400 when it broke off. Also where its length was announced it is read so far: a
    /// client whose connection is closed while it sends often sees a break in place of the answer.
    pub(crate) async fn bytes(&self) -> Result<Rc<Vec<u8>>, Refusal> {
        self.at_most(LARGEST).await
    }

    /// The whole of it, unless it is larger than so many bytes.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub(crate) async fn at_most(&self, largest: usize) -> Result<Rc<Vec<u8>>, Refusal> {
        if let Some(read) = self.read.borrow().as_ref() {
            return Ok(Rc::clone(read));
        }
        match self.source.read(largest).await {
            Ok(Some(bytes)) => {
                let bytes = Rc::new(bytes);
                *self.read.borrow_mut() = Some(Rc::clone(&bytes));
                Ok(bytes)
            }
            Ok(None) => Err(too_large(largest)),
            Err(FetchError::Timeout | FetchError::Unreachable) => {
                Err(Refusal::bad_request("the request's body broke off"))
            }
        }
    }

    /// What was read, for the upstream.
    pub(crate) fn into_read(self) -> Option<Vec<u8>> {
        let read = self.read.into_inner()?;
        Some(Rc::try_unwrap(read).unwrap_or_else(|shared| shared.to_vec()))
    }
}

fn too_large(largest: usize) -> Refusal {
    Refusal::new(413, "Request Entity Too Large").logged(format!(
        "the request's body is larger than {largest} bytes, which is the most that is read of it here"
    ))
}

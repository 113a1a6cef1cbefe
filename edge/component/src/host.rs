//! What a host of components gives, as the gateway wants it.

use std::time::{Instant, SystemTime};

use edgekeeper_gateway::runtime::Unavailable;

/// Milliseconds since the Unix epoch; 0 before it.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Microseconds since this instance first asked.
#[must_use]
pub fn micros() -> u64 {
    thread_local! {
        static BEGIN: Instant = Instant::now();
    }
    BEGIN.with(|begin| u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// Fills `bytes` from what `draw` gives when it is asked for so many.
///
/// # Errors
/// When it gives another number; half a nonce is none.
pub fn random(bytes: &mut [u8], draw: impl FnOnce(u64) -> Vec<u8>) -> Result<(), Unavailable> {
    let random = draw(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    if random.len() != bytes.len() {
        return Err(Unavailable(
            "the host gave less randomness than asked for".to_owned(),
        ));
    }
    bytes.copy_from_slice(&random);
    Ok(())
}

/// The part of a [`Runtime`](edgekeeper_gateway::runtime::Runtime) that is the same on every host of components: no
/// protocol is switched, nothing runs on a schedule, and the clock and the randomness are WASI's. `$draw` gives as many
/// random bytes as it is asked for; the field `steps` gathers what is explained.
#[macro_export]
macro_rules! component_host {
    ($draw:path) => {
        const WEBSOCKETS: bool = false;

        const SCHEDULE: bool = false;

        const EXPLAINS: bool = true;

        fn steps(&self) -> Option<&$crate::gateway::explanation::Steps> {
            Some(&self.steps)
        }

        fn now(&self) -> u64 {
            $crate::host::now()
        }

        fn micros(&self) -> u64 {
            $crate::host::micros()
        }

        fn random(&self, bytes: &mut [u8]) -> Result<(), $crate::gateway::runtime::Unavailable> {
            $crate::host::random(bytes, $draw)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_in_milliseconds() {
        assert!(now() > 1_700_000_000_000);
        assert!(now() < 100_000_000_000_000);
    }

    #[test]
    fn too_little_randomness_is_none() {
        let mut bytes = [0; 4];
        assert!(
            random(&mut bytes, |wanted| vec![
                7;
                usize::try_from(wanted).unwrap()
            ])
            .is_ok()
        );
        assert_eq!(bytes, [7; 4]);
        assert!(random(&mut bytes, |_| vec![1; 3]).is_err());
        assert!(random(&mut bytes, |_| Vec::new()).is_err());
    }
}

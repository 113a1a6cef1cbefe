//! What an instance is set up with, once for all of its requests.

use std::cell::RefCell;
use std::rc::Rc;

use edgekeeper_gateway::Deployment;
use edgekeeper_gateway::request::Listener;

/// What decides, and where it is.
#[derive(Debug)]
pub struct Instance {
    /// The policy in force, with what this instance remembers under it.
    pub deployment: Rc<Deployment>,
    /// Which of Oathkeeper's two listeners it is.
    pub listener: Listener,
}

thread_local! {
    static INSTANCE: RefCell<Option<Rc<Instance>>> = const { RefCell::new(None) };
}

/// This instance, once it is set up.
#[must_use]
pub fn current() -> Option<Rc<Instance>> {
    INSTANCE.with(|known| known.borrow().clone())
}

/// Sets this instance up, unless another of its requests has been faster. One that cannot be set up tries again with its
/// next request.
///
/// # Errors
/// What to set otherwise, for the log: `place` says where the document is from; `listener` is a setting.
pub fn set_up(place: &str, document: &str, listener: Option<&str>) -> Result<Rc<Instance>, String> {
    let deployment = Deployment::new(document).map_err(|error| format!("`{place}`: {error}"))?;
    let listener = match listener {
        None | Some("proxy") => Listener::Proxy,
        Some("api") => Listener::Api,
        Some(other) => {
            return Err(format!(
                "the setting `listener` is `{other}`; allowed are `proxy` and `api`"
            ));
        }
    };
    let instance = Rc::new(Instance {
        deployment,
        listener,
    });
    Ok(INSTANCE.with(|known| Rc::clone(known.borrow_mut().get_or_insert(instance))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"format":2,"errors":[{"kind":{"json":{}}}],"rules":[]}"#;

    #[test]
    fn what_cannot_be_used_is_told_with_its_place_and_what_is_allowed() {
        let refused = |place, document, listener| set_up(place, document, listener).unwrap_err();
        let error = refused("/policy.json", "{", None);
        assert!(error.starts_with("`/policy.json`: the policy document cannot be used"));
        assert!(error.contains("edgekeeper build"), "{error}");
        assert_eq!(
            refused("/policy.json", POLICY, Some("both")),
            "the setting `listener` is `both`; allowed are `proxy` and `api`"
        );
        assert!(current().is_none(), "nothing of it is kept");
    }

    #[test]
    fn the_first_to_set_it_up_counts() {
        let first = set_up("a", POLICY, Some("api")).unwrap();
        let second = set_up("b", POLICY, None).unwrap();
        assert!(Rc::ptr_eq(&first, &second));
        assert_eq!(current().unwrap().listener, Listener::Api);
    }
}

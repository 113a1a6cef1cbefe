//! The steps of one decision, while it is made.

use std::cell::RefCell;
use std::rc::Rc;

use super::step::Step;

/// Where a request's steps are gathered, if somebody wants to know them. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Steps(Rc<RefCell<Option<Vec<Step>>>>);

impl Steps {
    /// From here on they are wanted.
    pub fn want(&self) {
        self.0.borrow_mut().get_or_insert_default();
    }

    /// Whether somebody wants them.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Adds a step, unless nobody wants it.
    pub fn tell(&self, step: Step) {
        if let Some(told) = self.0.borrow_mut().as_mut() {
            told.push(step);
        }
    }

    /// Adds a step, unless it repeats the last one: a question that is asked again says nothing new.
    pub fn tell_once(&self, step: Step) {
        let repeats = self
            .0
            .borrow()
            .as_ref()
            .is_some_and(|told| told.last() == Some(&step));
        if !repeats {
            self.tell(step);
        }
    }

    /// What happened. What still happens behind the response is not part of the decision.
    #[must_use]
    pub fn take(&self) -> Vec<Step> {
        self.0.take().unwrap_or_default()
    }
}

//! A value of the service's own.

use std::ops::{Deref, DerefMut};

use super::{FromContext, RequiredState};
use crate::{context::JobContext, outcome::JobError};

/// A clone of the value of this type that the builder was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for State<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Clone + Send + Sync + 'static> FromContext for State<T> {
    fn from_context(context: &JobContext) -> Result<Self, JobError> {
        context.state().map(Self).ok_or_else(|| {
            JobError::permanent(format!("no state of type `{}` was given to the builder", std::any::type_name::<T>()))
        })
    }

    fn required_state() -> Option<RequiredState> {
        Some(RequiredState::of::<T>())
    }
}

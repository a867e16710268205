//! The agents side.

//! Carries decisions out.

//! The AEGIS client.

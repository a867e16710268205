//! Pieces of screens that know nothing of the model: lines in roles, the payload view, scrolling, filters, the key bar.

pub mod key_bar;
pub mod line;
pub mod payload;
pub mod scroll;
pub mod search;
pub mod text_field;

pub use line::RoleLine;
pub use scroll::Scroll;
pub use search::Search;
pub use text_field::TextField;

//! Parts of pages. Those that islands use are built for the browser too.

#[cfg(feature = "ssr")]
pub mod badges;
pub mod diff;
#[cfg(feature = "ssr")]
pub mod drawings;
#[cfg(feature = "ssr")]
pub mod escape;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod icon;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod number;
#[cfg(feature = "ssr")]
pub mod prose;
pub mod text;
#[cfg(feature = "ssr")]
pub mod text_area;
#[cfg(feature = "ssr")]
pub mod title;
#[cfg(feature = "ssr")]
pub mod waiting_settings;
#[cfg(feature = "ssr")]
pub mod when;

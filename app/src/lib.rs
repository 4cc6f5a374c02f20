//! Every page of Lucid: routes and shell here, one file a page in `pages`, what runs in the browser
//! in `islands`.
//!
//! Pages are rendered on the server and complete without wasm. Only islands, and the components
//! that they use, are built for the browser.

#[cfg(feature = "ssr")]
pub mod actions;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod islands;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use shell::{App, Assets, shell, style_guide};

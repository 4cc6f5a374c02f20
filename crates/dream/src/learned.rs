//! What the trainer of the engine's classifiers needs of it (`make train`).

use crate::{Input, curation::questions, findings::changed::Reading, window::Window};

pub use crate::{
    findings::{changed, meanings},
    reading::LEAST_LIKELY,
};

/// Looks at an input as a dream looks for changed facts.
pub fn with_reading<T>(input: &Input, look: impl FnOnce(&Reading) -> T) -> T {
    look(&Reading::of(
        &Window::of(input),
        &questions::statements_of(&input.memories),
    ))
}

//! Memory stores and memories: what a path and a content may be, and how a store is gated.
//! The limits are those of Claude Managed Agents, so that its clients meet no surprise.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::text_enum::{self, text_enum};

/// Longest memory path, in bytes.
pub const PATH_BYTES: usize = 1_024;
/// Most segments of a memory path.
pub const PATH_SEGMENTS: usize = 20;
/// Longest memory content, in bytes.
pub const CONTENT_BYTES: usize = 102_400;
/// Longest store name, in characters.
pub const STORE_NAME_CHARS: usize = 255;

/// The path of a memory in its store: `/` and 1-20 segments, none empty, `.` or `..`, no control or
/// format characters, NFC, at most 1,024 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemoryPath(String);

/// Why a text is not a memory path, or a content is not a memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMemory {
    /// Does not start with `/`.
    #[error("a memory path starts with `/`")]
    NoSlash,
    /// Longer than 1,024 bytes.
    #[error("a memory path is at most {PATH_BYTES} bytes")]
    PathTooLong,
    /// No segment, or more than 20.
    #[error("a memory path has 1 to {PATH_SEGMENTS} segments")]
    Segments,
    /// An empty, `.` or `..` segment.
    #[error("a segment of a memory path is not empty, `.` or `..`")]
    Segment,
    /// Control or format characters, which could hide what the path says.
    #[error("a memory path has no control or format characters")]
    Hidden,
    /// Not in Unicode normal form C.
    #[error("a memory path is in Unicode normal form C")]
    NotNfc,
    /// Longer than 102,400 bytes.
    #[error("a memory is at most {CONTENT_BYTES} bytes")]
    ContentTooLong,
    /// Holds U+0000. It is refused, not cleaned: the client's hash must hold.
    #[error("a memory holds no U+0000")]
    Nul,
    /// A store name that is empty or longer than 255 characters.
    #[error(
        "the name of a memory store has 1 to {STORE_NAME_CHARS} characters, none of them hidden"
    )]
    StoreName,
}

impl MemoryPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last segment, `/` for a memory at the top.
    #[must_use]
    pub fn folder(&self) -> &str {
        match self.0.rfind('/') {
            Some(0) | None => "/",
            Some(at) => &self.0[..at],
        }
    }

    /// The last segment of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl FromStr for MemoryPath {
    type Err = BadMemory;

    fn from_str(text: &str) -> Result<Self, BadMemory> {
        let rest = text.strip_prefix('/').ok_or(BadMemory::NoSlash)?;
        if text.len() > PATH_BYTES {
            return Err(BadMemory::PathTooLong);
        }
        if rest.is_empty() || rest.split('/').count() > PATH_SEGMENTS {
            return Err(BadMemory::Segments);
        }
        if rest.split('/').any(|s| matches!(s, "" | "." | "..")) {
            return Err(BadMemory::Segment);
        }
        if text
            .chars()
            .any(|c| c.is_control() || crate::scan::is_hidden(c))
        {
            return Err(BadMemory::Hidden);
        }
        if !is_nfc(text) {
            return Err(BadMemory::NotNfc);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for MemoryPath {
    type Error = BadMemory;

    fn try_from(text: String) -> Result<Self, BadMemory> {
        text.parse()
    }
}

impl From<MemoryPath> for String {
    fn from(path: MemoryPath) -> Self {
        path.0
    }
}

impl fmt::Display for MemoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_enum::as_database_text!(MemoryPath);

/// A part of a store: `/` for all of it, else a path that is there itself or above what is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPrefix(String);

impl Default for PathPrefix {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl PathPrefix {
    /// The prefix as text, without a slash at its end but where it is only one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if a path lies in this part, by whole segments.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        self.0 == "/"
            || path
                .strip_prefix(&self.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for PathPrefix {
    type Err = BadMemory;

    fn from_str(text: &str) -> Result<Self, BadMemory> {
        match text.trim_end_matches('/') {
            "" if text.starts_with('/') => Ok(Self::default()),
            path => path.parse::<MemoryPath>().map(|p| Self(p.0)),
        }
    }
}

impl TryFrom<String> for PathPrefix {
    type Error = BadMemory;

    fn try_from(text: String) -> Result<Self, BadMemory> {
        text.parse()
    }
}

impl From<PathPrefix> for String {
    fn from(prefix: PathPrefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_enum::as_database_text!(PathPrefix);

/// Checks that a text may be the content of a memory.
pub fn check_content(content: &str) -> Result<(), BadMemory> {
    if content.len() > CONTENT_BYTES {
        return Err(BadMemory::ContentTooLong);
    }
    if content.contains('\0') {
        return Err(BadMemory::Nul);
    }
    Ok(())
}

/// Checks a store's name and returns it in normal form C without outer white space.
pub fn check_store_name(name: &str) -> Result<String, BadMemory> {
    let name: String = name.trim().nfc().collect();
    let hidden = name
        .chars()
        .any(|c| c.is_control() || crate::scan::is_hidden(c));
    if name.is_empty() || hidden || name.chars().count() > STORE_NAME_CHARS {
        return Err(BadMemory::StoreName);
    }
    Ok(name)
}

text_enum! {
    CommitSource {
        /// A dream proposed it.
        Dream => "dream",
        /// An agent proposed it.
        Agent => "agent",
        /// A person proposed it.
        Person => "person",
        /// It reverts another commit.
        Revert => "revert",
        /// A policy applied it, no matter who proposed it.
        Policy => "policy",
        /// It was written past the queue.
        Direct => "direct",
    }
}

text_enum! {
    GateMode {
        /// Keys write at once, versioned and audited; dreams only propose.
        DreamsGated => "dreams_gated",
        /// Every write is proposed.
        AllGated => "all_gated",
    }
}

text_enum! {
    /// The effect of a version on its memory.
    Operation {
        /// The memory is new.
        Created => "created",
        /// Its content or path changed.
        Modified => "modified",
        /// It is gone; its versions stay.
        Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_paths() {
        for good in ["/a", "/failures/payment.md", "/people/ünï", "/a b/c"] {
            assert_eq!(good.parse::<MemoryPath>().unwrap().as_str(), good);
        }
        let path: MemoryPath = "/a/b/c.md".parse().unwrap();
        assert_eq!((path.folder(), path.name()), ("/a/b", "c.md"));
        assert_eq!("/a".parse::<MemoryPath>().unwrap().folder(), "/");
    }

    #[test]
    fn bad_paths_say_why() {
        let long = format!("/{}", "a".repeat(PATH_BYTES));
        let deep = "/a".repeat(PATH_SEGMENTS + 1);
        for (bad, why) in [
            ("a", BadMemory::NoSlash),
            ("", BadMemory::NoSlash),
            ("/", BadMemory::Segments),
            ("//a", BadMemory::Segment),
            ("/a/", BadMemory::Segment),
            ("/a/../b", BadMemory::Segment),
            ("/a/./b", BadMemory::Segment),
            ("/a\u{202e}b", BadMemory::Hidden),
            ("/a\nb", BadMemory::Hidden),
            ("/e\u{301}", BadMemory::NotNfc),
            (long.as_str(), BadMemory::PathTooLong),
            (deep.as_str(), BadMemory::Segments),
        ] {
            assert_eq!(bad.parse::<MemoryPath>(), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn content_limits() {
        assert!(check_content(&"x".repeat(CONTENT_BYTES)).is_ok());
        assert_eq!(
            check_content(&"x".repeat(CONTENT_BYTES + 1)),
            Err(BadMemory::ContentTooLong)
        );
        assert_eq!(check_content("a\0b"), Err(BadMemory::Nul));
    }

    proptest! {
        #[test]
        fn whatever_parses_is_a_safe_path(text in "\\PC{0,40}|/[a-z./]{0,20}") {
            if let Ok(path) = text.parse::<MemoryPath>() {
                prop_assert!(path.as_str().starts_with('/'));
                prop_assert!(!path.as_str().contains("/../"));
                prop_assert_eq!(format!("{}/{}", path.folder().trim_end_matches('/'), path.name()), text);
            }
        }
    }
}

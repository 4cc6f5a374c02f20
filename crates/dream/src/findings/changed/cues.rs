//! The phrases by which a mention of a value is known as a wish, the past, somebody else's or one
//! case, in one place so that they can be read and added to. Lower case; English. They are weighed
//! beside what was learned and decide nothing alone.

/// Words that link nothing.
#[rustfmt::skip]
pub const EMPTY: &[&str] = &[
    "can", "could", "should", "may", "might", "must", "not", "no", "yes", "only", "if", "than", "me", "us", "what", "where", "when", "why",
    "how", "all", "any", "some", "more", "most", "up", "down", "out", "over", "about", "after", "before", "because", "since", "until",
    "while", "now", "anymore", "longer", "instead", "still", "already", "new", "old", "again", "get", "got", "let", "per", "each", "every",
    "both", "between", "hi", "hey", "thanks", "thank", "ok", "pls", "them", "make", "need", "want", "know", "tell", "write", "put",
];

/// Words that mark a wish, a plan or an assumption.
#[rustfmt::skip]
pub const WISH: &[&str] = &[
    "if", "would", "could", "should", "might", "maybe", "perhaps", "suppose", "assuming", "imagine", "in theory", "thinking", "wish",
    "would like", "plan", "plans", "planning", "planned", "intend", "consider", "considering", "propose", "proposed", "hope", "hopefully",
    "soon", "going to", "whenever", "debate", "idea", "tomorrow", "next month", "next year", "next week", "next quarter", "once the",
    "once we", "talk of", "discuss", "discussing", "discussed", "trial", "pilot", "what if", "love",
];
/// Words that mark something that is no longer so.
#[rustfmt::skip]
pub const PAST: &[&str] = &[
    "used to", "once", "years ago", "those days", "back then", "at that time", "that time", "formerly", "previously", "ago",
    "in the past", "originally", "remember", "when i was", "were", "led", "had",
];
/// Words that mark a claim of somebody else that is denied.
#[rustfmt::skip]
pub const DENIED: &[&str] = &[
    "not true", "isn't true", "nonsense", "rumour", "rumor", "rumours", "false", "didn't", "did not", "hasn't", "haven't", "has not",
    "made up", "mistake", "claims", "claimed", "insists", "wrong", "mixed up", "never", "fake", "gossip", "ignore", "unchanged",
    "as always", "stays", "remains", "hoax",
];
/// Words that mark something as somebody else's.
#[rustfmt::skip]
pub const OTHERS: &[&str] = &[
    "their", "theirs", "competitor", "competitors", "competitor's", "client's", "customer's", "neighbour", "neighbours", "neighbouring",
    "my old", "my last", "my former", "my previous", "my own", "my wife's", "my husband's", "my brother's", "my sister's", "next door",
    "parent company", "subsidiary", "elsewhere", "rival", "at my", "other team", "another team", "the other", "friend",
];
/// Words that limit a statement to one time or one case.
#[rustfmt::skip]
pub const ONE_CASE: &[&str] = &[
    "just for", "only for", "just this", "only this", "exception", "exceptionally", "this once", "this time", "one time", "for now",
    "temporary", "temporarily", "today", "tonight", "sick", "this one", "for her", "for him", "stand-in", "just her", "just him",
    "only him", "only her", "this week", "this weekend", "one-off", "on leave",
];
/// Words that mark something that is so now and was not before.
#[rustfmt::skip]
pub const NOW: &[&str] = &[
    "now", "since", "these days", "nowadays", "from now on", "anymore", "any more", "no longer", "moved", "switched", "changed", "raised",
    "lowered", "went up", "went down", "dropped", "replaced", "replaces", "took over", "takes over", "new", "newly", "instead of", "gone",
    "upped", "bumped", "reduced", "increased", "extended", "migrated", "renamed", "retired", "already", "as of", "meanwhile", "recently",
    "last week", "last month", "yesterday", "still says",
];

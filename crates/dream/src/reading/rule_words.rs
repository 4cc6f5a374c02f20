//! The words by which rules are known, in one place so that they can be read and added to. Lower
//! case; English.

/// How a rule begins.
#[rustfmt::skip]
pub const OPENINGS: &[&str] = &[
    "make sure every", "make sure all", "make sure each", "make sure no", "every", "each", "all", "it's our policy to",
    "it is our policy to", "our policy", "our rule", "our convention", "when you", "if you", "before you", "after you", "next time",
    "always", "never", "from now on", "from here on", "in future", "in the future", "for the future", "going forward", "as a rule",
    "as a general rule", "as a standing rule", "the rule is", "our rule is", "our policy is", "our convention is", "by default", "we use",
    "we always", "we never", "we only", "we write", "we do not", "we format", "we prefer", "we call", "we name", "our team uses",
    "our team always", "our team never", "our team prefers", "the team uses", "the team prefers", "in our team", "in this team",
    "in our company", "at our company", "you should always", "you must always", "you should never", "you must never",
    "i want you to always", "i want you to never", "i always want", "i never want", "do not ever", "make sure to always",
    "make sure you always", "be sure to always", "make sure to never", "every time", "each time", "whenever", "stop using",
    "for all future", "for every", "in every", "in all", "from here on out", "from today on", "from today onwards", "from now onwards",
    "until i tell you otherwise", "until i say otherwise", "until we say otherwise", "until further notice",
    "unless i say otherwise", "unless told otherwise", "under no circumstances", "at no time", "as a general matter",
    "as a matter of principle", "as a matter of course", "on principle", "in general", "generally", "house rule", "house style",
    "our house style", "our house rule", "our style", "our standard", "our standard is", "our format", "our practice", "our process",
    "our default", "the convention here", "the rule here", "we say", "we spell", "we stick to", "we go with", "we avoid", "we want",
    "we keep", "we put", "we sign", "we round", "we report", "we refer to", "we abbreviate", "we only ever", "without exception",
    "every single time", "make sure that every", "make sure that all", "make sure that each", "make sure that no", "make sure that any",
    "make sure any", "henceforth", "hereafter", "moving forward", "as of now", "as of today", "starting today", "starting now",
    "effective immediately", "with immediate effect", "let's always", "let us always", "let's never", "let us never", "we should always",
    "we should never", "we must always", "we must never", "you need to always", "you have to \
        always", "it is important that you always",
    "it's important that you always", "it's important to always", "i need you to always", "i need you to never", "i'd like you to always",
    "i'd like you to never", "i would like you to always", "i would like you to never", "i want every", "i expect every",
    "we have a rule", "there is a rule", "there's a rule", "standard practice", "our standard \
        practice", "it's standard here",
    "the standard here", "the team standard", "team rule", "team policy", "company policy", "company rule", "our guideline",
    "our guidelines", "for future reference", "kindly always", "kindly never", "consistently", "invariably", "we indent", "we squash",
    "we do not do", "we do not use", "we open", "we close", "we start", "we end",
];

/// Words that make a statement a rule, anywhere in it.
#[rustfmt::skip]
pub const INSIDE: &[&str] = &[
    "from now on", "going forward", "for all future", "in all future", "at all times", "without exception", "must always", "must never",
    "should always", "should never", "has to always", "have to always", "need to always", "from here on out", "from today onwards",
    "from now onwards", "for good", "until further notice", "as standard", "as a rule", "in every case", "in all cases", "each and every",
    "every time after", "every single time", "never again", "every future", "any future", "all future", "future ones", "only ever",
    "under no circumstances", "make it standard", "make it a rule", "make it a habit", "make it the default", "make that \
        the default",
    "make that standard", "make that a habit", "the default from", "at any time", "no matter what", "in general",
    "under any circumstances", "without fail", "moving forward", "for future reference", "henceforth", "as of today", "as of now",
    "starting today", "starting now", "effective immediately", "make a habit", "standing rule", "standing instruction",
    "as a matter of policy", "per our policy", "unless i say", "unless i name", "unless i ask", "unless i tell", "unless told",
    "unless otherwise", "unless you're told", "unless you are told", "stick to that", "keep to that", "in this repo",
    "in this repository", "in this codebase", "in this project", "on this project", "on this team", "in this team", "in this company",
    "in this office", "in this department", "in our company", "at our company", "in our team", "on our team", "in our codebase",
    "in our repo", "in our house", "in this house",
];

/// Words after "always" and "never" with which it is no rule: "always the same trouble", "never a
/// problem".
#[rustfmt::skip]
pub const NO_RULE: &[&str] = &[
    "the", "a", "an", "this", "that", "these", "those", "my", "your", "so", "been", "too", "very", "such", "happy", "glad", "nice",
    "good", "great", "with", "about", "in", "on", "again", "late", "late.", "happens", "works", "fails", "seems", "gets", "takes",
    "wanted", "mind", "here", "there",
];

/// How somebody asks that a rule be kept.
#[rustfmt::skip]
pub const REMEMBER: &[&str] = &[
    "remember to", "remember that", "remember this", "remember :", "keep in mind that", "keep in mind :",
    "note for the future", "note for next time", "for next time", "make a note that", "please note \
        for the future", 
    "bear in mind that", "note to self :", "for your notes :", "write this down :", "please save \
        this :", "save this :",
    "commit this to memory", "take note that", 
];

/// Words before an opening that change nothing.
#[rustfmt::skip]
pub const BEFORE: &[&str] = &[
    "please", "and", "but", "also", "so", "actually", "ok", "okay", "hey", "listen", "once more", "as i said", "as i said before", "i told you before", "like i said", "pls",
    "just so you know", "fyi", "heads up", "for the record", "btw", "by the way", "one thing", "one more thing", "another thing",
];

/// Words that do so only before a comma, a point, a colon or a dash: "no, we use tabs" is a
/// correction, "no tabs" a rule.
#[rustfmt::skip]
pub const BEFORE_A_MARK: &[&str] = &[
    "no", "nope", "nah", "wrong", "incorrect", "er", "erm", "um", "uh", "sorry", "wait", "oh", "well", "good", "great", "fine", "thanks", "thank you", "thx", "again", "hi", "hello",
    "team", "just", "not like that", "not quite", "wrong again", "still wrong", "that's wrong", "that is wrong", "that's not right",
];

/// Words before which a "no" is one of a correction, also without a mark: "no we use tabs".
pub const AFTER_NO: &[&str] = &[
    "we", "it's", "it", "always", "never", "don't", "do", "please", "use",
];

/// Words that make it a wish of this moment.
#[rustfmt::skip]
pub const MOMENT: &[&str] = &[
    "this time", "just this once", "for this", "for now", "right now", "today", "tonight", "tomorrow", "this trip", "this one",
    "this flight", "this order", "this booking", "this morning", "this afternoon", "at the moment", "on this occasion", "yet",
    "this week", "this month", "this weekend", "this document", "this report", "this email", "this message", "this letter", "this page",
    "this case", "for the next", "for the moment", "until then", "for a moment", "just once", "only once", "just now", "this once",
    "for the time being", "until friday", "until monday", "until tuesday", "until wednesday", "until thursday", "until saturday",
    "until sunday", "report only", "in this case", "this year", "this quarter", "you're ready", "you are ready", "you have time",
    "you have a moment", "you have a minute", "you get a chance", "you get the chance", "you can manage",
];

/// Words that make it somebody else's words, a thought or a question of how, not a rule that the
/// speaker gives.
#[rustfmt::skip]
pub const REPORTED: &[&str] = &[
    "used to say", "always says", "always said", "says that", "said that", "told me", "tells me", "asked me to", "asks me to", "made me",
    "makes me", "wants me", "want me", "wrote", "insists", "insist", "according to", "suppose", "supposing", "imagine", "if i asked",
    "if we", "you may want", "you might", "may want to", "we should probably", "should probably", "could probably", "not always",
    "not have to", "need not", "must have", "that always", "that never", "which always", "which never", "who always", "who never",
    "i generally", "i usually", "i normally", "let me know", "let us know", "in future versions", "in the next version",
];

/// Words that say of the sentence before that it holds for more than this once.
#[rustfmt::skip]
pub const HOLDS_FOR_MORE: &[&str] = &[
    "applies to", "this applies", "that applies", "this holds", "that holds", "it holds for", "same for", "the same for", "same goes",
    "the same goes", "this goes for", "that goes for", "goes for", "please do the same", "do the same", "that's how", "that is how",
    "this is how", "do it like that", "do it that way", "keep it that way", "always do", "always include", "please handle",
    "every time please", "every time", "always", "no exceptions", "without exception", "for all of \
        them", "that's our rule",
    "that is our rule", "that's the rule", "that's our policy", "that's our house", "that's the \
        house", "everywhere", "in all of them",
    "keep to that", "stick to that", "please stick to", "please keep to", "keep to this", "stick to this",
];

/// Verbs in their plain form with which an instruction begins.
#[rustfmt::skip]
pub const COMMANDS: &[&str] = &[
    "use", "write", "do", "ask", "send", "add", "include", "put", "format", "check", "start", "end", "keep", "show", "name", "call",
    "run", "set", "give", "list", "round", "answer", "reply", "quote", "link", "sort", "skip", "leave", "tag", "sign", "state", "avoid",
    "prefer", "confirm", "attach", "convert", "label", "make", "tell", "always", "never", "only", "hold", "mention", "cite", "note",
    "flag", "mark", "treat", "assume", "spell", "translate", "return", "respond", "address", "begin", "close", "open", "create", "file",
    "store", "save", "log", "notify", "alert", "warn", "inform", "stick", "stay", "remove", "drop", "omit", "exclude", "replace",
    "rename", "wrap", "indent", "escape", "validate", "verify", "test", "review", "wait", "stop", "refer", "forward", "copy", "cc",
    "assign", "escalate", "prioritise", "prioritize", "group", "order", "separate", "number", "date", "capitalise", "capitalize",
    "summarise", "summarize", "explain", "describe", "offer", "suggest", "recommend", "propose", "book", "pick", "choose", "select",
    "default", "fall", "commit", "squash", "rebase", "push", "merge", "document", "comment", "report", "present", "display", "highlight",
    "print", "double-check", "read", "look", "consult", "request", "require", "provide", "deliver", "ship", "charge", "bill", "refund",
    "schedule", "remind", "please", "limit", "cap", "anonymise", "anonymize", "mask", "redact", "hide", "shorten", "rely", "trust",
    "mind", "count", "measure", "follow", "apply", "speak", "greet", "thank", "apologise", "apologize", "quit", "don't",
];

/// Words before a colon that announce a rule.
#[rustfmt::skip]
pub const LEADS: &[&str] = &[
    "rule", "rules", "policy", "future", "next time", "next ones", "agree", "standing", "convention", "preference", "habit", "standard",
    "guideline",
];

/// Words that make a polite question a lasting request.
#[rustfmt::skip]
pub const LASTING: &[&str] = &[
    "in general", "generally", "from now on", "going forward", "by default", "in future", "in the future", "as a rule",
    "make it standard", "make it a rule", "make it a habit", "make it the default",
];

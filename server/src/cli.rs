//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{
    Timestamp,
    actor::{Role, StoreRole},
    ids::{KeyId, SessionId},
    memory::PathPrefix,
    rights::Scope,
};
use service::transcripts::Format;

pub use crate::{mail::MailArgs, models::ModelArgs};

/// Dreaming over agents' memory, with a review gate.
#[derive(Debug, Parser)]
#[command(name = "lucid", version, about)]
pub struct Cli {
    /// The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    #[arg(
        long,
        global = true,
        env = "LUCID_DATABASE",
        default_value = "sqlite:./lucid.db",
        hide_env_values = true
    )]
    pub database: String,
    /// What is logged, as `info` or `info,service=debug`.
    #[arg(
        long,
        global = true,
        env = "LUCID_LOG",
        default_value = "warn,server=info,service=info"
    )]
    pub log: String,
    /// How it is logged.
    #[arg(
        long,
        global = true,
        env = "LUCID_LOG_FORMAT",
        default_value = "pretty"
    )]
    pub log_format: LogFormat,
    /// Address of an OpenTelemetry collector that takes traces over HTTP, as
    /// `http://localhost:4318`. Requests, use cases and statements are sent, without content.
    #[arg(long, global = true, env = "LUCID_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// File with the key that signs checkpoints of the audit trail (32 bytes as 64 hexadecimal
    /// digits); made if it is not there.
    #[arg(long, global = true, env = "LUCID_SIGNING_KEY")]
    pub signing_key: Option<PathBuf>,
    /// Folder of keys that seal transcripts, one a session, so that a backup can no longer be read
    /// once what was erased has lost its key. Made if it is not there; outside the database's
    /// folder, and the same for every server and worker on a database.
    #[arg(long, global = true, env = "LUCID_SESSION_KEYS")]
    pub session_keys: Option<PathBuf>,
    /// A changeset in which nobody decides for so many days expires; 0: never. The same for every
    /// server and worker on a database.
    #[arg(long, global = true, env = "LUCID_EXPIRE_AFTER", default_value_t = domain::review::EXPIRY_DAYS, value_parser = clap::value_parser!(u32).range(..=3650))]
    pub expire_after: u32,
    /// Which models dreams may ask.
    #[command(flatten)]
    pub models: ModelArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What Lucid can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and work off dreams and schedules.
    Serve(ServeArgs),
    /// Take sessions in from transcripts.
    Import(ImportArgs),
    /// Send this machine's transcripts to a Lucid elsewhere, and what is added to them.
    Record(RecordArgs),
    /// Dream over a store, or preview what a dream would propose.
    Dream(DreamArgs),
    /// Add a person (or give one more stores), or print a link that sets somebody's password.
    User(UserArgs),
    /// Work off dreams and schedules without serving pages; any number may run on one PostgreSQL
    /// database.
    Worker(WorkArgs),
    /// Make, list and revoke API keys for agents.
    Key(KeyArgs),
    /// Print what an agent would load from a store at the start of a session, as Markdown.
    Briefing(BriefingArgs),
    /// Check database, migrations, assets, clock and keys; exit code 1 if something has to be
    /// mended.
    Doctor(DoctorArgs),
    /// Write the history of a store for another program.
    Export(ExportArgs),
    /// Verify or export the audit trail, or sign a checkpoint of it.
    Audit(AuditArgs),
    /// List, show, export, import and back-test auto-apply policies; test a file of them, or
    /// compare two.
    Policy(PolicyArgs),
    /// Run attacks against a copy of a store with the policies as they are; exit code 1 if one
    /// would be applied. Writes nothing.
    Drill(DrillArgs),
    /// Copy a running SQLite database into a new file.
    Backup {
        /// The file; it must not exist yet.
        file: PathBuf,
    },
}

/// `lucid drill`.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// The store's name.
    pub store: String,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lucid policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with the rules.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// What `lucid policy` does. `test` and `compare` open no database.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List the policies with their state and what they did in 30 days.
    List,
    /// Show one: its rules in words, its tests and its last back-test.
    Show {
        /// Its name.
        name: String,
    },
    /// Print a version as a file.
    Export {
        /// Its name.
        name: String,
        /// Which version; else the newest.
        #[arg(long)]
        version: Option<i64>,
    },
    /// Save a file as the draft of the policy that it names, or as a new policy.
    Import {
        /// The file: JSON.
        file: PathBuf,
        /// The email of who owns a new policy.
        #[arg(long)]
        owner: Option<String>,
    },
    /// Replay the changes of the past through the newest version; exit code 1 if it would have
    /// applied what people decided against.
    BackTest {
        /// Its name.
        name: String,
        /// How far back.
        #[arg(long, default_value_t = 90)]
        days: i64,
    },
    /// Run the cases of a file; exit code 1 if one fails.
    Test {
        /// The file: JSON with `rules` and `tests`.
        file: PathBuf,
        /// How the result is printed.
        #[arg(long, default_value = "text")]
        format: ReportFormat,
    },
    /// Say whether one set of rules applies a change that another does not, with an example; exit
    /// code 1 if it does.
    Compare {
        /// The file with the rules as they are.
        before: PathBuf,
        /// The file with the rules as they would be.
        after: PathBuf,
    },
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For continuous integration.
    Junit,
}

/// `lucid serve`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "LUCID_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: String,
    /// The address that browsers use, as `https://lucid.example.com`. Default:
    /// `http://localhost:PORT`.
    #[arg(long, env = "LUCID_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Allow a public URL with plain http that is not this machine: cookies and passwords then go
    /// over the wire in clear.
    #[arg(long, env = "LUCID_INSECURE_HTTP")]
    pub insecure_http: bool,
    /// Lucid is behind a proxy: the last address in its `X-Forwarded-For` is where a request
    /// comes from.
    #[arg(long, env = "LUCID_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// Bearer token that `GET /metrics` asks for; without one it is off.
    #[arg(long, env = "LUCID_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Do not work off dreams and schedules in this process.
    #[arg(long, env = "LUCID_NO_WORKER")]
    pub no_worker: bool,
    /// How much it works on at once.
    #[command(flatten)]
    pub work: WorkArgs,
    /// Whether and how mail is sent.
    #[command(flatten)]
    pub mail: MailArgs,
    /// Serve `/styleguide`, which shows every component of the pages in each of its states; for
    /// developers.
    #[arg(long)]
    pub style_guide: bool,
    /// Load the example sessions into a fresh database, dream once, and print one-time links to
    /// sign in.
    #[arg(long)]
    pub demo: bool,
}

/// How much a worker does at once.
#[derive(Debug, Clone, Args)]
pub struct WorkArgs {
    /// How many dreams are worked on at the same time in this process.
    #[arg(long, env = "LUCID_JOBS", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub jobs: usize,
    /// A file to which the signed end of the audit trail is appended each minute in which it moved;
    /// best on another machine's disk.
    #[arg(long, env = "LUCID_CHECKPOINT_FILE")]
    pub checkpoint_file: Option<PathBuf>,
    /// An address to which it is sent, as JSON over POST.
    #[arg(long, env = "LUCID_CHECKPOINT_URL")]
    pub checkpoint_url: Option<String>,
    /// The address of a witness (C2SP tlog-witness), which cosigns the tree head each minute in
    /// which it moved, once it has seen that the trail only grew. Name its key, too.
    #[arg(long, env = "LUCID_WITNESS_URL", requires = "witness_key")]
    pub witness_url: Option<String>,
    /// The public key of the witness: `NAME+ID+KEY`.
    #[arg(long, env = "LUCID_WITNESS_KEY", requires = "witness_url")]
    pub witness_key: Option<audit::witness::WitnessKey>,
}

/// How transcripts are read.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// In which form they are: `auto` finds out; else one of openai (also Anthropic's messages),
    /// messages, responses, batch, claude-code, codex, events, gemini, copilot, opencode, cline,
    /// openclaw, openhands, swe-agent, tau2, atif, spans.
    #[arg(long, default_value = "auto")]
    pub format: Format,
    /// A file with a mapping: JSON that says where in each record its parts stand, for forms that
    /// are not known here.
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub map: Option<PathBuf>,
    /// The agent, where the transcript does not say.
    #[arg(long)]
    pub agent: Option<String>,
    /// The team, where the transcript does not say.
    #[arg(long)]
    pub team: Option<String>,
    /// The key that holds the end user (beside `user`).
    #[arg(long)]
    pub subject_key: Option<String>,
    /// The key that holds the task (beside `task_id`).
    #[arg(long)]
    pub task_key: Option<String>,
    /// Leave a session out where a line of it cannot be read, rather than keep the rest with a gap.
    #[arg(long)]
    pub strict: bool,
}

/// `lucid import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files, folders of them, or `-` for standard input. In folders, .json, .jsonl, .ndjson and
    /// .traj files are taken, also as .gz and .zst.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The memory store that the sessions belong to; made if it is not there.
    #[arg(long, required_unless_present = "preview")]
    pub store: Option<String>,
    /// Only print what becomes of the first ten records, and a mapping to begin with where nothing
    /// was understood; needs no database.
    #[arg(long)]
    pub preview: bool,
    /// Go on, and take in what is added to the files or to the folders within seconds, until it is
    /// stopped.
    #[arg(long, conflicts_with = "preview")]
    pub watch: bool,
    /// How they are read.
    #[command(flatten)]
    pub format: FormatArgs,
    /// A JSON list of the host's pull requests, as `gh pr list --state all --json url,state` prints
    /// it: a session of which the transcript names a pull request succeeded if that was merged, and
    /// failed if it was closed without.
    #[arg(long, value_name = "FILE")]
    pub pull_requests: Option<PathBuf>,
    /// Also take in the memory files next to the sessions of a project folder.
    #[arg(long)]
    pub with_memory: bool,
}

/// `lucid record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Files, or folders of them, as for `lucid import`.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Where Lucid serves, as `https://lucid.example.com`.
    #[arg(long, env = "LUCID_URL")]
    pub to: String,
    /// An API key with the scope sessions:write.
    #[arg(long, env = "LUCID_KEY", hide_env_values = true)]
    pub key: String,
    /// The store's id, as `memstore_..`; not needed where the key reaches one store alone.
    #[arg(long)]
    pub store: Option<String>,
    /// Go on until it is stopped: send what is new within seconds, and what could not be sent when
    /// Lucid is there again.
    #[arg(long)]
    pub watch: bool,
    /// In which form the transcripts are; `auto` finds out.
    #[arg(long, default_value = "auto")]
    pub format: Format,
    /// The agent, where the transcript does not say.
    #[arg(long)]
    pub agent: Option<String>,
    /// The team, where the transcript does not say.
    #[arg(long)]
    pub team: Option<String>,
    /// A file that keeps what was sent, so that a restart does not send it all again.
    #[arg(long, default_value = "lucid-record.json")]
    pub state: PathBuf,
}

/// `lucid dream`.
#[derive(Debug, Args)]
pub struct DreamArgs {
    /// The memory store to dream over.
    #[arg(long, required_unless_present = "preview")]
    pub store: Option<String>,
    /// Wait until the dream has ended, and work on it if no server does.
    #[arg(long)]
    pub wait: bool,
    /// Instructions for the dream, at most 4,096 characters. Who instructs does not count as an
    /// approver.
    #[arg(long)]
    pub instructions: Option<String>,
    /// What distils: builtin, or a model that is set up (anthropic, openai).
    #[arg(long, default_value = "builtin")]
    pub distiller: String,
    /// Only print what would be proposed; needs no database.
    #[arg(long, requires = "json")]
    pub preview: bool,
    /// Preview: files or folders with transcripts.
    #[arg(long, requires = "preview")]
    pub sessions: Vec<PathBuf>,
    /// Preview: a folder whose files are the memories.
    #[arg(long, requires = "preview")]
    pub memories: Option<PathBuf>,
    /// Preview: print JSON.
    #[arg(long, requires = "preview")]
    pub json: bool,
    /// Preview: how transcripts are read.
    #[command(flatten)]
    pub format: FormatArgs,
}

/// `lucid user`.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// What to do: add or link.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person, or give a known one more stores and a new link.
    Add {
        /// Their address.
        email: String,
        /// How they are called on pages.
        #[arg(long)]
        name: String,
        /// admin, reviewer, member or auditor.
        #[arg(long, default_value = "reviewer")]
        role: Role,
        /// Stores that they get; may be given several times.
        #[arg(long = "store")]
        stores: Vec<String>,
        /// What they get on those stores: reader, reviewer or owner.
        #[arg(long, default_value = "reviewer")]
        grant: StoreRole,
        /// Only under this path of those stores (they still see the rest).
        #[arg(long, default_value = "/")]
        path: PathPrefix,
        /// The address that browsers use; without, the one that the server on this database last
        /// said.
        #[arg(long, env = "LUCID_PUBLIC_URL")]
        public_url: Option<String>,
    },
    /// Print a one-time link with which a known person chooses a new password. Nobody with an
    /// account sees it, so that their account is independent of every other.
    Link {
        /// Their address.
        email: String,
        /// The address that browsers use; without, the one that the server on this database last
        /// said.
        #[arg(long, env = "LUCID_PUBLIC_URL")]
        public_url: Option<String>,
    },
}

/// `lucid key`.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// What to do: add, list or revoke.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print its secret, once.
    Add {
        /// What it is for, in words.
        name: String,
        /// What it may be used for, as `sessions:write`; may be given several times.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// The only store that it is for; without, every store of its owner's grants.
        #[arg(long)]
        store: Option<String>,
        /// Whose it is, by address; without, the only admin there is.
        #[arg(long)]
        owner: Option<String>,
        /// After how many days it ends by itself.
        #[arg(long)]
        days: Option<i64>,
    },
    /// List every key, without its secret.
    List,
    /// End a key at once.
    Revoke {
        /// The key's id, as `key_..`.
        id: KeyId,
    },
}

/// `lucid briefing`.
#[derive(Debug, Args)]
pub struct BriefingArgs {
    /// The memory store, by name.
    pub store: String,
    /// Which agent it is for: memories under `/agents/NAME` are for that one only.
    #[arg(long)]
    pub agent: Option<String>,
    /// At most so many tokens (4 bytes of UTF-8 each, rounded up).
    #[arg(long, default_value_t = domain::briefing::DEFAULT_BUDGET)]
    pub budget_tokens: i64,
    /// Only what is known about failures of this tool.
    #[arg(long)]
    pub tool: Option<String>,
    /// Only what is known about this error.
    #[arg(long)]
    pub error: Option<String>,
    /// Also statements that are not valid yet, or no longer.
    #[arg(long)]
    pub all_times: bool,
    /// Also, by title, the memories that those of the briefing replaced.
    #[arg(long)]
    pub superseded: bool,
}

/// `lucid doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The address that browsers use.
    #[arg(long, env = "LUCID_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Allow a public URL with plain http that is not this machine.
    #[arg(long, env = "LUCID_INSECURE_HTTP")]
    pub insecure_http: bool,
}

/// `lucid audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// A day or a time, in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    Timestamp::parse(&whole)
        .ok_or_else(|| "write it as 2026-03-01 or 2026-03-01T08:00:00Z".to_owned())
}

/// In which form the trail is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrailFormat {
    /// JSON lines.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// What is exported.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The store, by name: its commits as a stream for `git fast-import`, each with who made and
    /// who approved it.
    #[arg(long, value_name = "STORE")]
    pub git: String,
}

/// What can be done with the audit trail.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Check every entry, its payload and the chain; exit code 1 and the first broken entry if it
    /// does not hold.
    Verify {
        /// An export to check instead of the database; needs no database.
        #[arg(long)]
        export: Option<PathBuf>,
        /// A checkpoint that was kept elsewhere, as `lucid audit checkpoint` printed it; the trail
        /// must hold what it says.
        #[arg(long)]
        checkpoint: Vec<PathBuf>,
        /// The public key that checkpoints must be signed with, 64 hexadecimal digits.
        #[arg(long)]
        public_key: Option<String>,
        /// A bill of memory to check instead: its signature and, with an export, that the commits
        /// it names wrote what it lists.
        #[arg(long)]
        bill: Option<PathBuf>,
        /// A letter to an end user to check instead: that it is as it was signed.
        #[arg(long, conflicts_with_all = ["bill", "export", "checkpoint"])]
        letter: Option<PathBuf>,
        /// A proof to check instead, as `lucid audit prove` printed it; needs --public-key.
        #[arg(long, conflicts_with_all = ["bill", "export", "checkpoint", "letter"], requires = "public_key")]
        proof: Option<PathBuf>,
        /// The tree head that was kept: the proof must be about it, or show that the trail only
        /// grew since.
        #[arg(long, requires = "proof")]
        tree_head: Option<PathBuf>,
    },
    /// Print a proof that one entry is in the trail, or that the trail only grew, to be checked
    /// offline without an export.
    Prove {
        /// The number of the entry.
        #[arg(long, required_unless_present = "since")]
        entry: Option<i64>,
        /// The tree head that was kept, as `lucid audit tree-head` printed it.
        #[arg(long, conflicts_with = "entry")]
        since: Option<PathBuf>,
    },
    /// Print the signed tree head of the trail (C2SP tlog-checkpoint): how many entries it has, and
    /// the root of the Merkle tree over them.
    TreeHead {
        /// The newest that the witness cosigned, with its signature.
        #[arg(long)]
        cosigned: bool,
    },
    /// Print the signed bill of memory of a session: which versions of which memories it was given,
    /// and who approved them.
    Bill {
        /// The session's id.
        session: SessionId,
    },
    /// Sign how long the trail is and what it ends with, store that, and print it as JSON to be
    /// kept elsewhere.
    Checkpoint,
    /// Write the trail, or a period of it, to standard output.
    Export {
        /// From this time on, as `2026-03-01` or `2026-03-01T08:00:00Z`.
        #[arg(long, value_parser = time)]
        since: Option<Timestamp>,
        /// Before this time.
        #[arg(long, value_parser = time)]
        until: Option<Timestamp>,
        /// `jsonl` verifies by itself (`lucid audit verify --export FILE`); `csv` is for
        /// spreadsheets.
        #[arg(long, default_value = "jsonl")]
        format: TrailFormat,
    },
    /// Let another key sign the trail from now on. Lucid must have the key before
    /// (`--signing-key`), which gives its word for the new one.
    ReplaceKey {
        /// The file of the new key; made if it is not there.
        new: PathBuf,
        /// The key before is lost; everybody who verifies the trail is told.
        #[arg(long)]
        lost: bool,
    },
}

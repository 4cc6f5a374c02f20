//! `lucid policy`: policies listed, shown, exported, imported and back-tested; tests of a file, and
//! the comparison of two, without a database.

use std::{path::Path, process::ExitCode};

use domain::{
    actor::Actor,
    ids::PolicyId,
    plural::count,
    policy::{BackTest, PolicyFile, Report, Wider, wider},
};
use service::Lucid;

use crate::{
    Failure,
    cli::{PolicyArgs, PolicyCommand, ReportFormat},
};

/// Runs a command of `lucid policy`.
pub async fn run(database: super::Database<'_>, args: &PolicyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        PolicyCommand::List => list(database).await,
        PolicyCommand::Show { name } => show(database, name).await,
        PolicyCommand::Export { name, version } => export(database, name, *version).await,
        PolicyCommand::Import { file, owner } => import(database, file, owner.as_deref()).await,
        PolicyCommand::BackTest { name, days } => back_test(database, name, *days).await,
        PolicyCommand::Test { file, format } => test(file, *format),
        PolicyCommand::Compare { before, after } => compare(before, after),
    }
}

fn test(file: &Path, format: ReportFormat) -> Result<ExitCode, Failure> {
    let report = read(file)?.run();
    match format {
        ReportFormat::Text => print(&report),
        ReportFormat::Json => println!("{}", json(&report)?),
        ReportFormat::Junit => print!("{}", report.junit()),
    }
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn compare(before: &Path, after: &Path) -> Result<ExitCode, Failure> {
    let (old, new) = (read(before)?, read(after)?);
    let looser = new.applying.looser_than(&old.applying);
    if !looser.is_empty() {
        println!("{} is looser: {}.", after.display(), looser.join(", "));
    }
    match wider(&old.rules, &new.rules) {
        Wider::No => {
            println!(
                "{} applies nothing that {} does not.",
                after.display(),
                before.display()
            );
            Ok(if looser.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Wider::Yes(change) => {
            println!(
                "{} applies what {} does not, for example:\n{}",
                after.display(),
                before.display(),
                json(&change)?
            );
            Ok(ExitCode::FAILURE)
        }
        Wider::Undecided => Err(Failure::Said(
            "these rules are too many to be compared".to_owned(),
        )),
    }
}

async fn list(database: super::Database<'_>) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let view = lucid.policies(&Actor::operator()).await?;
    if view.policies.is_empty() {
        println!("There is no policy: a person decides on every change.");
    }
    for p in &view.policies {
        let did = p.did.map_or_else(
            || "0 applied".to_owned(),
            |d| format!("{} applied, {} overridden", d.applied, d.overridden),
        );
        let to_come = p.to_come.as_ref().map_or_else(String::new, |v| {
            format!("; v{} is in {}", v.number, v.state)
        });
        println!(
            "{} v{} {}: {did} in 30 days{to_come}",
            p.name, p.version.number, p.version.state
        );
    }
    for (stop, by) in &view.stops {
        println!("stopped: {} by {by} {}", stop.scope, stop.reason);
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(database: super::Database<'_>, name: &str) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let view = lucid
        .policy(&Actor::operator(), named(&lucid, name).await?, None)
        .await?;
    let v = &view.version;
    println!(
        "{} v{} {}\n{}\n",
        v.name, v.number, v.state, view.file.reason
    );
    for rule in &view.file.rules {
        println!("- {}: {}", rule.name, rule.sentence(|id| id.to_string()));
    }
    println!("Applied {}\n", view.file.applying.sentence());
    print(&view.tests);
    match &view.back_test {
        Some(tested) => println!(
            "\nBack-test of {}: {}",
            tested.row.run_at.exact(),
            in_words(&tested.report)
        ),
        None => println!("\nNo back-test of this version was run."),
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(
    database: super::Database<'_>,
    name: &str,
    version: Option<i64>,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let view = lucid
        .policy(&Actor::operator(), named(&lucid, name).await?, version)
        .await?;
    println!("{}", json(&view.file)?);
    Ok(ExitCode::SUCCESS)
}

async fn import(
    database: super::Database<'_>,
    file: &Path,
    owner: Option<&str>,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let (operator, file) = (Actor::operator(), read(file)?);
    let owner = match owner {
        None => None,
        Some(email) => {
            let people = lucid.people(&operator).await?.people;
            let found = people.into_iter().find(|m| m.user.email == email);
            Some(
                found
                    .ok_or_else(|| Failure::Said(format!("nobody here has the address {email}")))?
                    .user
                    .id,
            )
        }
    };
    let (_, version) = lucid.import_policy(&operator, &file, owner).await?;
    println!(
        "“{}” v{version} is a draft; two admins activate it once it has been in shadow and \
         back-tested.",
        file.name
    );
    Ok(ExitCode::SUCCESS)
}

async fn back_test(
    database: super::Database<'_>,
    name: &str,
    days: i64,
) -> Result<ExitCode, Failure> {
    let lucid = super::open_existing(database).await?;
    let (operator, id) = (Actor::operator(), named(&lucid, name).await?);
    let number = lucid.policy(&operator, id, None).await?.version.number;
    let report = lucid.back_test_policy(&operator, id, number, days).await?;
    println!("{}", in_words(&report));
    Ok(if report.against.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn named(lucid: &Lucid, name: &str) -> Result<PolicyId, Failure> {
    let all = lucid.policies(&Actor::operator()).await?.policies;
    let found = all.into_iter().find(|p| p.name == name).map(|p| p.id);
    found.ok_or_else(|| {
        Failure::Said(format!(
            "no policy is called “{name}”; `lucid policy list` names them"
        ))
    })
}

fn in_words(report: &BackTest) -> String {
    let against = report.applied_against();
    format!(
        "of {}, it would have applied {}, {against} of them against what people decided; {} are \
         left to people",
        count(report.replayed, "change"),
        report.applied_in_all(),
        report.left
    )
}

fn read(file: &Path) -> Result<PolicyFile, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    PolicyFile::parse(&text).map_err(|why| Failure::Said(format!("{}: {why}", file.display())))
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|e| Failure::Said(e.to_string()))
}

fn print(report: &Report) {
    for case in &report.cases {
        if case.passed {
            println!("ok      {}", case.name);
        } else {
            println!(
                "FAILED  {}: expected {}, but {}",
                case.name, case.expected, case.outcome
            );
        }
    }
    let failed = report.cases.iter().filter(|case| !case.passed).count();
    println!("{} passed, {failed} failed", report.cases.len() - failed);
    for condition in &report.never_decided {
        println!("no case would notice if this condition were gone: {condition}");
    }
}

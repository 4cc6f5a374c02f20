//! `lucid policy`: tests of a file of rules, and the comparison of two, without a database.

use std::{path::Path, process::ExitCode};

use domain::policy::{PolicyFile, Report, Wider, wider};

use crate::{
    Failure,
    cli::{PolicyArgs, PolicyCommand, ReportFormat},
};

/// Tests or compares.
pub fn run(args: &PolicyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        PolicyCommand::Test { file, format } => {
            let report = read(file)?.run();
            match format {
                ReportFormat::Text => print(&report),
                ReportFormat::Json => println!("{}", json(&report)?),
                ReportFormat::Junit => print!("{}", report.junit()),
            }
            Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        PolicyCommand::Compare { before, after } => match wider(&read(before)?.rules, &read(after)?.rules) {
            Wider::No => {
                println!("{} applies nothing that {} does not.", after.display(), before.display());
                Ok(ExitCode::SUCCESS)
            }
            Wider::Yes(change) => {
                println!("{} applies what {} does not, for example:\n{}", after.display(), before.display(), json(&change)?);
                Ok(ExitCode::FAILURE)
            }
            Wider::Undecided => Err(Failure::Said("these rules are too many to be compared".to_owned())),
        },
    }
}

fn read(file: &Path) -> Result<PolicyFile, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
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
            println!("FAILED  {}: expected {}, but {}", case.name, case.expected, case.outcome);
        }
    }
    let failed = report.cases.iter().filter(|case| !case.passed).count();
    println!("{} passed, {failed} failed", report.cases.len() - failed);
    for condition in &report.never_decided {
        println!("no case would notice if this condition were gone: {condition}");
    }
}

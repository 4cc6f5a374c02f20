//! The binary `lucid`.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    server::run(server::cli::Cli::parse()).await
}

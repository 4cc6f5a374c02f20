//! The binary `lucid`.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    // What all commands hold at once is too large for the stack.
    Box::pin(server::run(server::cli::Cli::parse())).await
}

//! The `entente` command: arguments in, output and exit codes out; no logic of its own.
//!
//! stdout is data, stderr is talk. Exit codes: 0 fine, 1 findings above the threshold asked for,
//! 2 wrong usage or input that cannot be used, 3 could not finish.

mod arguments;
mod assess;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod failure;
mod output;
mod platforms;
mod progress;
mod remembered;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use entente_identity::Choice;
use failure::Failure;

/// Estates are millions of small pieces, made on one thread and freed on another: a third less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Assess(arguments) => assess::run(&arguments),
        Command::Check(arguments) => platforms::check(&arguments),
        Command::Collect(arguments) => platforms::collect(&arguments),
        Command::Watch(arguments) => platforms::watch(&arguments),
        Command::Import(arguments) => remembered::import(&arguments),
        Command::Estate(arguments) => remembered::estate(&arguments),
        Command::Show(arguments) => remembered::show(&arguments),
        Command::Changes(arguments) => remembered::changes(&arguments),
        Command::Query(arguments) => remembered::query(&arguments),
        Command::Links(arguments) => remembered::links(&arguments),
        Command::Link(arguments) => remembered::decide(&arguments, Choice::Link),
        Command::Unlink(arguments) => remembered::decide(&arguments, Choice::Unlink),
        Command::Store { command } => remembered::store(&command),
        Command::Explain { code } => explain::run(code.as_deref()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "entente", &mut script);
            output::write(|out| out.write_all(&script)).map(|()| ExitCode::SUCCESS)
        }
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::run(&arguments),
    };
    outcome.unwrap_or_else(|failure: Failure| {
        output::talk(&failure.to_string());
        failure.exit_code()
    })
}

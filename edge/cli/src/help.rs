//! What every command's help must have.

use clap::{Command, CommandFactory as _, Parser as _};

use crate::Arguments;

/// A command and all below it, each by what is typed for it.
fn commands(command: &Command, name: &str, found: &mut Vec<(String, Command)>) {
    found.push((name.to_owned(), command.clone()));
    for below in command.get_subcommands() {
        commands(below, &format!("{name} {}", below.get_name()), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    commands(&Arguments::command(), "edgekeeper", &mut found);
    found
}

/// The lines of the examples in a help.
fn examples(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Examples:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(str::trim_start)
        .collect()
}

#[test]
fn every_command_shows_how_it_is_used() {
    let commands = all();
    assert!(commands.len() >= 12, "{}", commands.len());
    for (name, mut command) in commands {
        for help in [command.render_help(), command.render_long_help()] {
            let help = help.to_string();
            let shown = examples(&help)
                .into_iter()
                .any(|line| line.starts_with(&name));
            assert!(shown, "the help of `{name}` ends without an example of it");
        }
    }
}

#[test]
fn every_example_can_be_typed() {
    for (name, mut command) in all() {
        let help = command.render_long_help().to_string();
        for line in examples(&help) {
            // Behind it stand what the shell does with the output, or a remark.
            let typed = ["  ", " | ", " > ", " >> "]
                .iter()
                .fold(line, |line, end| line.split(end).next().unwrap());
            if !typed.starts_with("edgekeeper") {
                continue;
            }
            let parsed = Arguments::try_parse_from(typed.split_whitespace());
            if let Err(error) = parsed {
                let is_help = error.kind() == clap::error::ErrorKind::DisplayHelp;
                assert!(is_help, "the help of `{name}`: `{typed}`: {error}");
            }
        }
    }
}

#[test]
fn every_argument_says_what_it_is_for() {
    for (name, command) in all() {
        assert!(
            command.get_about().is_some(),
            "`{name}` says nothing of itself"
        );
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "`{name}`: `{}` says nothing of itself",
                argument.get_id()
            );
        }
    }
}

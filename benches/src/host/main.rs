//! A plugin host that takes the time: it starts a provider as an engine does, speaks to it over mutual TLS, and ends it as
//! an engine does.
//!
//! It prints what it has measured as JSON, for `scripts/bench` to make figures of.

mod calls;
#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared with the tests, which use all of it"
)]
#[path = "../../../tests/it/support/certificates.rs"]
mod certificates;
mod clock;
mod endpoint;
mod http;
mod plugin;
mod start;
mod tls;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand};

/// What ends the program. Its words are for a person at a terminal.
type Failure = Box<dyn Error + Send + Sync>;

/// Starts providers as an engine does, and takes the time
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Takes the time that programs take to start, in turn
    Start {
        /// Providers, or programs that just end
        #[arg(required = true, value_name = "NAME=BINARY")]
        programs: Vec<Named>,
        /// How often each is started
        #[arg(long, default_value_t = 100)]
        runs: usize,
    },
    /// Takes the time of calls to providers that have an endpoint as a resource, in turn
    Calls {
        /// Each provider, and the type of its resource, such as `heygen_webhook_endpoint`
        #[arg(required = true, value_name = "TYPE=BINARY")]
        providers: Vec<Named>,
        /// How many calls of each kind are counted
        #[arg(long, default_value_t = 4000)]
        calls: usize,
        /// How many endpoints there are
        #[arg(long, default_value_t = 100)]
        endpoints: usize,
    },
    /// Takes the time of calls over https, by providers and by a bare client, in turn
    Http {
        /// Providers that have our data sources
        #[arg(required = true, value_name = "NAME=BINARY")]
        providers: Vec<Named>,
        /// How many calls each makes
        #[arg(long, default_value_t = 1000)]
        calls: usize,
    },
}

/// A program, and what the answer calls it.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    binary: PathBuf,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, binary) = text.split_once('=').ok_or("there is no `=` in it")?;
        Ok(Self {
            name: name.to_owned(),
            binary: binary.into(),
        })
    }
}

fn main() -> Result<(), Failure> {
    let measured = match Arguments::parse().command {
        Command::Start { programs, runs } => start::measure(&programs, runs)?,
        Command::Calls {
            providers,
            calls,
            endpoints,
        } => calls::measure(&providers, calls, endpoints)?,
        Command::Http { providers, calls } => http::measure(&providers, calls)?,
    };
    writeln!(io::stdout(), "{measured}")?;
    Ok(())
}

//! What programs take to start.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::runtime::Builder;
use tonic_prost::ProstCodec;

use crate::certificates::ClientIdentity;
use crate::clock::{self, milliseconds};
use crate::plugin::{self, Plugin};
use crate::{Failure, Named};

/// Rounds that are not counted. They bring the programs into the page cache.
const WARM_UPS: usize = 5;

/// What one program took, start by start. A program that just ends has the first of these only.
#[derive(Default, Serialize)]
struct Measured {
    /// From spawning to the first line, or to the end of the output: milliseconds.
    first_line: Vec<f64>,
    /// From spawning to the answered schema: milliseconds.
    schema: Vec<f64>,
    /// What of that the host's own processor time is, after the first line: milliseconds.
    host: Vec<f64>,
    /// The program's own processor time, until the schema is answered: milliseconds.
    processor: Vec<f64>,
    /// The most memory it had until the schema was answered: bytes.
    memory: Vec<u64>,
    /// From asking it to end to its end: milliseconds.
    end: Vec<f64>,
}

/// Starts each program in turn, so that whatever disturbs the machine strikes all alike.
pub(crate) fn measure(programs: &[Named], runs: usize) -> Result<String, Failure> {
    let identity = ClientIdentity::generate();
    let mut measured: BTreeMap<&str, Measured> = BTreeMap::new();
    for round in 0..WARM_UPS + runs {
        for program in programs {
            let mut scratch = Measured::default();
            let into = if round < WARM_UPS {
                &mut scratch
            } else {
                measured.entry(&program.name).or_default()
            };
            start_once(program, &identity, into).map_err(|error| format!("{}: {error}", program.name))?;
        }
    }
    Ok(serde_json::to_string(&measured)?)
}

fn start_once(program: &Named, identity: &ClientIdentity, into: &mut Measured) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let started = plugin::start(&program.binary, identity)?;
    into.first_line.push(milliseconds(started.took));
    if started.line.is_empty() {
        return started.ended();
    }
    let spawned_at = started.spawned_at;
    runtime.block_on(async {
        let worked_before = clock::of_this_thread()?;
        let plugin = started.connect(identity).await?;
        ask_for_schema(&plugin).await?;
        let schema = spawned_at.elapsed();
        let worked = clock::of_this_thread()?.saturating_sub(worked_before);
        into.schema.push(milliseconds(schema));
        into.host.push(milliseconds(worked));
        into.processor.push(milliseconds(clock::of_process(plugin.id())?));
        into.memory.push(plugin.peak_memory()?);
        into.end.push(milliseconds(plugin.shut_down().await?));
        Ok(())
    })
}

/// Asks for the schema, in the version of the protocol that the provider speaks. The answer is received and not read: what
/// reading it takes is the engine's.
async fn ask_for_schema(plugin: &Plugin) -> Result<(), Failure> {
    let path = match plugin.protocol {
        5 => "/tfplugin5.Provider/GetSchema",
        6 => "/tfplugin6.Provider/GetProviderSchema",
        other => return Err(format!("it speaks version {other} of the protocol").into()),
    };
    let mut client = tonic::client::Grpc::new(plugin.channel.clone()).max_decoding_message_size(usize::MAX);
    client.ready().await?;
    let codec = ProstCodec::<Unread, Unread>::default();
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(tonic::Request::new(Unread {}), path, codec).await?;
    Ok(())
}

/// A message without fields, as which every message can be received.
#[derive(Clone, PartialEq, prost::Message)]
struct Unread {}

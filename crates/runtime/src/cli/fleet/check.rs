//! `tokenward fleet check`.

use tokenward_engine::streams::Kind;

use super::engine::{of_engine, with_engine};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::settings::ConfigArg;
use crate::fleet::engine::{block_on, connect};

/// Compare the streams of the fleet's NATS servers with the settings that a fleet needs
///
/// Changes nothing. The exit code is 1 if a setting differs.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.required()?;
    let (fleet, engine) = with_engine(&config)?;
    let looked = block_on(async {
        let engine = connect(fleet, engine).await?;
        let mut looked = Vec::new();
        for kind in Kind::ALL {
            looked.push(engine.look_at(kind).await?);
        }
        let server = engine.client().server_info();
        Ok((looked, server.version))
    });
    let (looked, version) = looked.map_err(of_engine)?;
    let mut text = format!("server     NATS {version}\n");
    let mut differ = false;
    for stream in &looked {
        if stream.differences.is_empty() {
            let replicas = match stream.replicas {
                1 => "1 replica: it is lost with its server".to_owned(),
                replicas => format!("{replicas} replicas"),
            };
            text.push_str(&format!("stream     {}: as needed, {replicas}\n", stream.stream));
        }
        for difference in &stream.differences {
            differ = true;
            text.push_str(&format!("differs    {}: {difference}\n", stream.stream));
        }
    }
    output::print(&output::for_people(&text))?;
    if differ {
        return Err(Failure::Findings(String::new()));
    }
    Ok(())
}

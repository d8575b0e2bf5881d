//! From the configuration to a connection.

use std::future::Future;

use tokenward_engine::{Engine, EngineError, Names, Settings};
use tokenward_pdp::config::{Fleet, FleetEngine};

/// The names of a fleet's streams and subjects.
///
/// # Errors
/// The fleet's name cannot be used.
fn names(fleet: &str) -> Result<Names, EngineError> {
    let name = fleet.parse().map_err(|error| {
        EngineError::Settings(format!("`{fleet}` cannot be the name of a fleet: {error}"))
    })?;
    Ok(Names::of(name))
}

/// Connects as the configuration says.
///
/// # Errors
/// See [`Engine::connect`].
pub(crate) async fn connect(fleet: &Fleet, engine: &FleetEngine) -> Result<Engine, EngineError> {
    let node = engine.node.as_deref().unwrap_or("command");
    let files = engine.client_certificate.as_ref();
    let settings = Settings {
        servers: engine.servers.clone(),
        ca_file: fleet.ca_file.clone(),
        client: files.map(|files| (files.certificate.clone(), files.key.clone())),
        client_name: format!("tokenward {node}"),
    };
    Engine::connect(&settings, names(&fleet.name)?).await
}

/// Runs questions to the engine on this thread, for commands and for the start.
///
/// # Errors
/// The system has no resources for a runtime, or the questions fail.
pub(crate) fn block_on<T>(questions: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| EngineError::Settings(format!("cannot start: {error}")))?;
    runtime.block_on(questions)
}

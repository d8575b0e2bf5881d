//! Compiles a policy directory to an artifact without any proof, for benchmarks of policies so large that proofs about all their
//! lines would take longest.
//!
//!     cargo run --release -p tokenward-compiler --example artifact -- DIR FILE

use std::{error::Error, path::PathBuf};

use tokenward_compiler::{
    artifact, compile,
    source::{Links, SourceSet},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(directory), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: artifact DIR FILE".into());
    };
    let compilation = compile(&SourceSet::read_dir(&directory, Links::Refuse)?);
    let program = compilation.program.ok_or("the policy has errors")?;
    std::fs::write(file, artifact::encode(&program))?;
    Ok(())
}

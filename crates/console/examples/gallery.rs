//! Writes each page in each state as a file, with made-up data, and the static files: `gallery DIRECTORY`.

use std::path::PathBuf;
use std::{env, fs, io};

use tokenward_console::{assets, samples};

fn main() -> io::Result<()> {
    let out = env::args_os().nth(1).map(PathBuf::from);
    let out = out.ok_or_else(|| io::Error::other("no directory given; run `gallery DIRECTORY`"))?;
    let files = out.join(assets::PATH.trim_matches('/'));
    fs::create_dir_all(&files)?;
    for (name, asset) in assets::all() {
        fs::write(files.join(name), asset.body)?;
    }
    for (name, page) in samples::gallery() {
        fs::write(out.join(format!("{name}.html")), page)?;
    }
    Ok(())
}

//! `seeds DIRECTORY`: writes a corpus to begin with, one folder a target, from what the repository holds: the grammar's page, the
//! example policies, the compiler's fixtures, the bypass vectors, the kept inputs.

use std::error::Error;
use std::path::{Path, PathBuf};

// The instrumentation's callbacks are libFuzzer's; without a mention it would not be linked.
use libfuzzer_sys as _;
use tokenward_compiler::{artifact, compile};
use tokenward_tests::property;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let to = std::env::args_os().nth(1).ok_or("usage: seeds DIRECTORY")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds = Seeds {
        to: to.into(),
        count: 0,
    };
    seeds.lines(&root)?;
    seeds.policies(&root)?;
    seeds.vectors(&root)?;
    for (name, _) in property::ALL {
        // A generator's choices have no text to begin with; zeroes and a counter reach all of its branches soon.
        seeds.write(name, &[])?;
        let kept = root.join("tests/corpus/fuzz").join(name);
        for input in files(&kept)? {
            seeds.write(name, &std::fs::read(input)?)?;
        }
    }
    let counter: Vec<u8> = (0..4096u32)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect();
    seeds.write("decide", &counter)
}

struct Seeds {
    to: PathBuf,
    count: usize,
}

impl Seeds {
    fn write(&mut self, target: &str, bytes: &[u8]) -> Outcome<()> {
        let folder = self.to.join(target);
        std::fs::create_dir_all(&folder)?;
        self.count += 1;
        Ok(std::fs::write(
            folder.join(format!("seed-{:04}", self.count)),
            bytes,
        )?)
    }

    fn lines(&mut self, root: &Path) -> Outcome<()> {
        let page = std::fs::read_to_string(root.join("grammar/README.md"))?;
        for block in page.split("```limit\n").skip(1) {
            let line = block.split("\n```").next().unwrap_or_default();
            self.write("line", line.as_bytes())?;
        }
        Ok(())
    }

    fn policies(&mut self, root: &Path) -> Outcome<()> {
        let mut texts = Vec::new();
        let mut folders = vec![root.join("policies"), root.join("crates/compiler/tests/fixtures")];
        while let Some(folder) = folders.pop() {
            let (mut tokens, mut sets) = (Vec::new(), Vec::new());
            for path in files(&folder)? {
                match path.extension().and_then(|ending| ending.to_str()) {
                    Some("toml") => tokens.push(std::fs::read(&path)?),
                    Some("limits") => sets.push(std::fs::read(&path)?),
                    _ if path.is_dir() => folders.push(path),
                    _ => {}
                }
            }
            for token in tokens {
                texts.push([&[token], sets.as_slice()].concat().join(&0xff));
            }
        }
        for text in texts {
            self.write("policy", &text)?;
            let Some(program) = property::sources(&text).and_then(|sources| compile(&sources).program) else {
                continue;
            };
            // Without the header, as the property wants it.
            let bytes = artifact::encode(&program);
            let sections = bytes.get(artifact::HEADER..).unwrap_or_default();
            self.write("artifact", sections)?;
        }
        Ok(())
    }

    fn vectors(&mut self, root: &Path) -> Outcome<()> {
        for name in ["vectors-open.jsonl", "vectors-own.jsonl"] {
            let text = std::fs::read_to_string(root.join("tests/corpus/bypass").join(name))?;
            for line in text.lines() {
                let vector: serde_json::Value = serde_json::from_str(line)?;
                let raw = vector
                    .get("raw")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default();
                let raw = raw.replace("${HOST}", "h.example");
                let bytes: Vec<u8> = raw.chars().filter_map(|c| u8::try_from(c).ok()).collect();
                self.write("wire", &[&[3], bytes.as_slice()].concat())?;
                let head = String::from_utf8_lossy(&bytes)
                    .replace(" HTTP/1.1\r\n", "\n")
                    .replace('\r', "");
                let framing = 4 * u8::from(head.contains("ength:")) + 8 * u8::from(head.contains("hunked"));
                self.write("request", &[&[0, framing], head.as_bytes()].concat())?;
                if let Some(at) = raw.find("\r\n\r\n{") {
                    let body: Vec<u8> = raw
                        .chars()
                        .skip(raw[..at + 4].chars().count())
                        .filter_map(|c| u8::try_from(c).ok())
                        .collect();
                    self.write("json", &body)?;
                }
                if let Some(lines) = vector.get("policy").and_then(serde_json::Value::as_array) {
                    for line in lines.iter().filter_map(serde_json::Value::as_str) {
                        self.write("line", line.as_bytes())?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What lies in the folder; nothing where there is none.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

//! The store, and what it is measured against.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use rusqlite::Connection;
use tokenward_audit::{Config, Outcome, Record, Store};
use tokio::sync::oneshot;

use crate::Failure;
use crate::calls::{call, outcome_text, record_text};
use crate::report::Round;

/// Who stores the calls.
pub enum Peer {
    /// Nobody: what making and handing over a call costs by itself.
    Nothing,
    /// Tokenward's store, durable.
    Store,
    /// SQLite, WAL, full sync; so many records a transaction at most.
    Sqlite { batch: usize },
    /// A file, fdatasync; so many records a sync at most.
    File { batch: usize },
}

impl Peer {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing (the calls alone)",
            Self::Store => "tokenward",
            Self::Sqlite { batch: 1 } => "sqlite, one a commit",
            Self::Sqlite { .. } => "sqlite, group commit",
            Self::File { batch: 1 } => "file, one a sync",
            Self::File { .. } => "file, group commit",
        }
    }

    /// Whether each record is committed by itself.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Sqlite { batch: 1 } | Self::File { batch: 1 })
    }

    /// Lets `appenders` tasks store calls for so long.
    pub fn run(&self, appenders: u64, seconds: Duration, root: &Path) -> Result<Round, Failure> {
        match self {
            Self::Nothing => measure(&Nothing, appenders, seconds, root, || Ok(())),
            Self::Store => {
                let store = Store::open(Config {
                    reserve_bytes: 0,
                    ..Config::at(root.join("audit"))
                })?;
                let round = measure(&store, appenders, seconds, root, || Ok(store.close()?))?;
                Ok(round)
            }
            Self::Sqlite { batch } => {
                let queue = Queue::begin(sqlite(&root.join("audit.sqlite"))?, *batch);
                measure(&queue.sink, appenders, seconds, root, || queue.end.close())
            }
            Self::File { batch } => {
                let file = File::options()
                    .create(true)
                    .append(true)
                    .open(root.join("audit.log"))?;
                let queue = Queue::begin(file, *batch);
                measure(&queue.sink, appenders, seconds, root, || queue.end.close())
            }
        }
    }
}

/// Takes calls.
trait Sink: Clone + 'static {
    /// Done when the record is on disk.
    async fn append(&self, record: Record) -> Result<(), Failure>;
    /// Not waited for.
    fn outcome(&self, outcome: Outcome) -> Result<(), Failure>;
}

/// Takes calls and forgets them.
#[derive(Clone)]
struct Nothing;

impl Sink for Nothing {
    async fn append(&self, record: Record) -> Result<(), Failure> {
        drop(std::hint::black_box(record));
        tokio::task::yield_now().await;
        Ok(())
    }

    fn outcome(&self, outcome: Outcome) -> Result<(), Failure> {
        std::hint::black_box(outcome);
        Ok(())
    }
}

impl Sink for Store {
    async fn append(&self, record: Record) -> Result<(), Failure> {
        Store::append(self, record).await?;
        Ok(())
    }

    fn outcome(&self, outcome: Outcome) -> Result<(), Failure> {
        Ok(self.append_outcome(outcome)?)
    }
}

fn measure<S: Sink>(
    sink: &S,
    appenders: u64,
    seconds: Duration,
    root: &Path,
    close: impl FnOnce() -> Result<(), Failure>,
) -> Result<Round, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let local = tokio::task::LocalSet::new();
    let ids = Arc::new(AtomicU64::new(0));
    let (begun, cpu) = (Instant::now(), ProcessTime::now());
    let mut waits = local.block_on(&runtime, async {
        let tasks: Vec<_> = (0..appenders)
            .map(|_| {
                let (sink, ids) = (sink.clone(), Arc::clone(&ids));
                tokio::task::spawn_local(async move {
                    let mut waits = Vec::new();
                    while begun.elapsed() < seconds {
                        let (record, outcome) = call(ids.fetch_add(1, Ordering::Relaxed));
                        let asked = Instant::now();
                        sink.append(record).await?;
                        waits.push(asked.elapsed());
                        sink.outcome(outcome)?;
                    }
                    Ok::<_, Failure>(waits)
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await??);
        }
        Ok::<_, Failure>(all)
    })?;
    let took = begun.elapsed();
    close()?;
    waits.sort_unstable();
    Ok(Round {
        took,
        cpu: cpu.elapsed(),
        waits,
        disk_bytes: size(root)?,
    })
}

/// Where a peer's writer puts a batch.
trait Medium: Send + 'static {
    /// Done when all are on disk.
    fn commit(&mut self, batch: &[Line]) -> Result<(), Failure>;
}

/// A text that waits; whoever waits for it.
struct Line {
    text: Text,
    done: Option<oneshot::Sender<()>>,
}

enum Text {
    Record(String),
    Outcome(String),
}

impl Medium for File {
    fn commit(&mut self, batch: &[Line]) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        for Line { text, .. } in batch {
            let (Text::Record(text) | Text::Outcome(text)) = text;
            bytes.extend_from_slice(text.as_bytes());
        }
        self.write_all(&bytes)?;
        Ok(self.sync_data()?)
    }
}

impl Medium for Connection {
    fn commit(&mut self, batch: &[Line]) -> Result<(), Failure> {
        let transaction = self.transaction()?;
        {
            let mut record = transaction.prepare_cached("INSERT INTO record (line) VALUES (?1)")?;
            let mut outcome = transaction.prepare_cached("INSERT INTO outcome (line) VALUES (?1)")?;
            for Line { text, .. } in batch {
                match text {
                    Text::Record(text) => record.execute([text])?,
                    Text::Outcome(text) => outcome.execute([text])?,
                };
            }
        }
        Ok(transaction.commit()?)
    }
}

fn sqlite(path: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE record (id INTEGER PRIMARY KEY, line TEXT NOT NULL);
         CREATE TABLE outcome (id INTEGER PRIMARY KEY, line TEXT NOT NULL);",
    )?;
    Ok(connection)
}

/// A thread that commits all that waits, and the way to it.
struct Queue {
    sink: Sender,
    end: End,
}

#[derive(Clone)]
struct Sender(mpsc::SyncSender<Line>);

/// The writer, once no more comes.
struct End(thread::JoinHandle<Result<(), Failure>>, mpsc::SyncSender<Line>);

impl Queue {
    fn begin(mut medium: impl Medium, most: usize) -> Self {
        let (sender, receiver) = mpsc::sync_channel::<Line>(1 << 16);
        let writer = thread::spawn(move || {
            while let Ok(first) = receiver.recv() {
                let mut batch = vec![first];
                while batch.len() < most
                    && let Ok(next) = receiver.try_recv()
                {
                    batch.push(next);
                }
                if batch.iter().any(Line::is_stop) {
                    batch.retain(|line| !line.is_stop());
                    return medium.commit(&batch);
                }
                medium.commit(&batch)?;
                for done in batch.into_iter().filter_map(|line| line.done) {
                    let _ = done.send(());
                }
            }
            Ok(())
        });
        Self {
            sink: Sender(sender.clone()),
            end: End(writer, sender),
        }
    }
}

impl Line {
    /// The empty text ends the writer.
    fn is_stop(&self) -> bool {
        matches!(&self.text, Text::Outcome(text) if text.is_empty())
    }
}

impl End {
    fn close(self) -> Result<(), Failure> {
        let Self(writer, sender) = self;
        sender.send(Line {
            text: Text::Outcome(String::new()),
            done: None,
        })?;
        writer.join().map_err(|_| "the writer panicked")?
    }
}

impl Sink for Sender {
    async fn append(&self, record: Record) -> Result<(), Failure> {
        let (done, answer) = oneshot::channel();
        self.0.send(Line {
            text: Text::Record(record_text(&record)),
            done: Some(done),
        })?;
        Ok(answer.await?)
    }

    fn outcome(&self, outcome: Outcome) -> Result<(), Failure> {
        Ok(self.0.send(Line {
            text: Text::Outcome(outcome_text(&outcome)),
            done: None,
        })?)
    }
}

/// Bytes that the files below `path` take on disk.
fn size(path: &Path) -> Result<u64, Failure> {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            size(&entry.path())?
        } else {
            meta.blocks() * 512
        };
    }
    Ok(sum)
}

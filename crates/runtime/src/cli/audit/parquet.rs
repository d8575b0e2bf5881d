//! Recorded calls as Apache Parquet: CSV's columns with their types, for analytical tools.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::csv;
use super::table::shown;

/// Number of calls of a row group, all of which are in memory.
const GROUP: usize = 50_000;
/// Names of the columns with numbers.
const NUMBERS: [&str; 10] = [
    "sequence",
    "line",
    "request_bytes",
    "decision_ns",
    "status",
    "upstream_status",
    "sent_bytes",
    "received_bytes",
    "total_us",
    "upstream_us",
];
/// The column of times. The column with times as texts is left out.
const TIME: &str = "time_ms";
const TIME_TEXT: &str = "time";

/// Writes calls to a file.
pub(super) struct Parquet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
}

struct Column {
    place: &'static str,
    // 1 for a value that is there, 0 for one that is absent.
    there: Vec<i16>,
    values: Values,
}

enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<ByteArray>),
}

fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    csv::COLUMNS.into_iter().filter(|(name, _)| *name != TIME_TEXT)
}

fn is_number(name: &str) -> bool {
    name == TIME || NUMBERS.contains(&name)
}

impl<W: Write + Send> Parquet<W> {
    /// Begins a Parquet file.
    pub(super) fn begin(out: W) -> Result<Self, ParquetError> {
        let fields = columns().map(|(name, _)| match name {
            TIME => format!("optional int64 {name} (TIMESTAMP(MILLIS, true));"),
            _ if is_number(name) => format!("optional int64 {name};"),
            _ => format!("optional binary {name} (STRING);"),
        });
        let schema = format!("message call {{ {} }}", fields.collect::<String>());
        let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW);
        Ok(Self {
            writer: SerializedFileWriter::new(
                out,
                Arc::new(parse_message_type(&schema)?),
                Arc::new(properties.build()),
            )?,
            columns: columns().map(|(name, place)| Column::new(name, place)).collect(),
            rows: 0,
        })
    }

    /// Adds a call, given as a line of JSON. Control and bidirectional characters are escaped, as in tables, since
    /// readers of the file may display it.
    pub(super) fn push(&mut self, call: &str) -> Result<(), ParquetError> {
        let call: Value = serde_json::from_str(call).unwrap_or_default();
        for column in &mut self.columns {
            column.push(call.pointer(column.place));
        }
        self.rows += 1;
        if self.rows >= GROUP {
            self.end_group()
        } else {
            Ok(())
        }
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        let mut columns = self.columns.iter_mut();
        while let (Some(mut out), Some(column)) = (group.next_column()?, columns.next()) {
            let there = Some(column.there.as_slice());
            match &column.values {
                Values::Numbers(numbers) => out.typed::<Int64Type>().write_batch(numbers, there, None)?,
                Values::Texts(texts) => out.typed::<ByteArrayType>().write_batch(texts, there, None)?,
            };
            out.close()?;
            column.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Writes the remaining rows, and the end of the file.
    pub(super) fn finish(mut self) -> Result<W, ParquetError> {
        self.end_group()?;
        self.writer.into_inner()
    }
}

impl Column {
    fn new(name: &str, place: &'static str) -> Self {
        let values = match is_number(name) {
            true => Values::Numbers(Vec::new()),
            false => Values::Texts(Vec::new()),
        };
        Self {
            place,
            there: Vec::new(),
            values,
        }
    }

    fn push(&mut self, value: Option<&Value>) {
        let there = match (&mut self.values, value) {
            (Values::Numbers(numbers), Some(value)) => {
                let number = value.as_i64();
                numbers.extend(number);
                number.is_some()
            }
            (Values::Texts(texts), Some(Value::String(text))) => {
                texts.push(shown(text).as_bytes().to_vec().into());
                true
            }
            _ => false,
        };
        self.there.push(i16::from(there));
    }

    fn clear(&mut self) {
        self.there.clear();
        match &mut self.values {
            Values::Numbers(numbers) => numbers.clear(),
            Values::Texts(texts) => texts.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;

    #[test]
    fn calls_are_read_back_with_their_types() {
        let mut file = Parquet::begin(Vec::new()).unwrap();
        for n in 0..3 {
            let call = serde_json::json!({
                "sequence": n, "time_ms": 1_800_000_000_000_i64 + n, "token": "a\u{1b}b", "user": null,
                "line": {"file": "ci.toml", "number": 7}, "outcome": {"status": 200},
            });
            file.push(&call.to_string()).unwrap();
        }
        let bytes = bytes::Bytes::from(file.finish().unwrap());
        let reader = SerializedFileReader::new(bytes).unwrap();
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        let field = |name: &str| {
            let mut columns = rows[2].get_column_iter();
            columns.find(|(column, _)| *column == name).unwrap().1.clone()
        };
        assert_eq!(field("sequence"), Field::Long(2));
        assert_eq!(field("time_ms"), Field::TimestampMillis(1_800_000_000_002));
        assert_eq!(field("token"), Field::Str(r"a\u{1b}b".to_owned()));
        assert_eq!(field("user"), Field::Null);
        assert_eq!(field("line"), Field::Long(7));
        assert_eq!(field("status"), Field::Long(200));
    }

    #[test]
    fn every_column_of_csv_is_there_once() {
        assert_eq!(columns().count() + 1, csv::COLUMNS.len());
        assert!(
            NUMBERS
                .iter()
                .all(|name| columns().any(|(column, _)| column == *name))
        );
    }
}

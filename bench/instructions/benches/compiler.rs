//! Instructions of the compiler's parts, counted by callgrind and held to `counts.txt`.
//!
//!     make bench-instructions

use std::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use instructions::{
    Prepared, body,
    corpus::{Kind, ask},
    limit, narrow, sources, wide,
};
use tokenward_compiler::{Compilation, compile, ir::Program, json, json::Wanted, source::SourceSet};

fn within(name: &str) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, limit(name))]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

#[library_benchmark]
#[bench::first(args = (narrow(Kind::First)), config = within("first"))]
#[bench::last(args = (narrow(Kind::Last)), config = within("last"))]
#[bench::floating(args = (narrow(Kind::Floating)), config = within("floating"))]
#[bench::alternation(args = (narrow(Kind::Alternation)), config = within("alternation"))]
#[bench::denied(args = (narrow(Kind::Denied)), config = within("denied"))]
#[bench::query(args = (narrow(Kind::Query)), config = within("query"))]
#[bench::date(args = (narrow(Kind::Date)), config = within("date"))]
#[bench::json(args = (narrow(Kind::Json)), config = within("json"))]
#[bench::wide_first(args = (wide(Kind::First)), config = within("wide_first"))]
#[bench::wide_last(args = (wide(Kind::Last)), config = within("wide_last"))]
#[bench::wide_alternation(args = (wide(Kind::Alternation)), config = within("wide_alternation"))]
#[bench::wide_denied(args = (wide(Kind::Denied)), config = within("wide_denied"))]
#[bench::wide_query(args = (wide(Kind::Query)), config = within("wide_query"))]
#[bench::wide_json(args = (wide(Kind::Json)), config = within("wide_json"))]
fn decide(prepared: &'static Prepared) -> bool {
    black_box(prepared).allowed()
}

#[library_benchmark]
#[bench::json_64k(args = (body()), config = within("json_64k"))]
fn read((body, wanted): (String, Wanted<'static>)) -> (bool, String, Wanted<'static>) {
    let read = json::read(black_box(body.as_bytes()), &wanted).is_ok();
    (read, body, wanted)
}

#[library_benchmark]
#[bench::compile(args = (sources()), config = within("compile"))]
fn whole(sources: SourceSet) -> (Compilation, SourceSet) {
    (compile(black_box(&sources)), sources)
}

#[library_benchmark]
#[bench::bind(args = (ask::compiled(&sources())), config = within("bind"))]
fn to_base(program: Program) -> (Program, Program) {
    (ask::bound(black_box(&program)), program)
}

library_benchmark_group!(name = compiler, benchmarks = [decide, read, whole, to_base]);

main!(library_benchmark_groups = compiler);

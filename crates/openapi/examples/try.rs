//! try
fn main() {
    for f in std::env::args().skip(1) {
        let b = std::fs::read(&f).unwrap();
        let t = std::time::Instant::now();
        match tokenward_openapi::read(&b) {
            Ok(d) => {
                println!(
                    "{f}: {} {} {:?} {} ops {} defects {:?}",
                    d.title,
                    d.version,
                    d.hosts,
                    d.operations.len(),
                    d.defects.len(),
                    t.elapsed()
                );
                for x in d.defects.iter().take(12) {
                    println!("   {x}")
                }
                for o in d.operations.iter().step_by(1 + d.operations.len() / 8) {
                    println!("   {} {:?}", o.name(), o.id);
                }
                if std::env::var("FULL").is_ok() {
                    for o in &d.operations {
                        println!("{o:#?}")
                    }
                }
            }
            Err(e) => println!("{f}: {e}  {:?}", t.elapsed()),
        }
    }
}

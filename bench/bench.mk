# Benchmarks. None of them is built by `make test`.

.PHONY: bench bench-audit bench-decision bench-hostile bench-instructions bench-lsp bench-policies bench-proofs bench-reach bench-reload bench-scale

bench: ## time to compile, to bind, to decide (divan); one alone: cargo bench -p tokenward-compiler -- NAME
	$(CARGO) bench --locked -p tokenward-compiler --bench decide

bench-scale: ## time and memory of 10,000 and of 100,000 tokens
	$(CARGO) build --release --locked -p tokenward-compiler --example scale
	"$(TARGET)/release/examples/scale" 10000
	"$(TARGET)/release/examples/scale" 100000

bench-reload: ## a large policy: time until ready, time until a changed line decides, memory; AGAINST=BINARY, MORE=OPTIONS; needs python3 and Linux
	$(CARGO) build --release --locked -p tokenward-runtime
	$(CARGO) build --release --locked -p tokenward-compiler --example artifact
	bench/reload/reload.py --binary "$(TARGET)/release/tokenward" --compiler "$(TARGET)/release/examples/artifact" $(if $(AGAINST),--against "$(AGAINST)") $(MORE)

bench-lsp: ## answers of `tokenward lsp`, and `compile --check`, on 1,000 tokens with 10 lines each, held to 50 ms and 2 s; needs python3 and Linux
	$(CARGO) build --release --locked -p tokenward-runtime --bin tokenward
	bench/lsp/lsp.py --binary "$(TARGET)/release/tokenward"

bench-policies: ## policies and requests that are made to be slow: time to compile, to show, to check, to decide
	$(CARGO) run --release --locked -p tokenward-compiler --example hostile

bench-proofs: ## proofs that once took too long or were given up: CPU time, memory and counted work, each held to its limit
	$(CARGO) build --release --locked -p tokenward-compiler --example settled
	"$(TARGET)/release/examples/settled"

bench-reach: ## `tokenward reach`: 1,260 operations, up to 1,000 tokens with 10 lines each; time and peak memory, held to LIMIT seconds; needs python3
	$(CARGO) build --release --locked -p tokenward-runtime --bin tokenward
	bench/reach/reach.py --binary "$(TARGET)/release/tokenward" $(if $(LIMIT),--limit $(LIMIT))

bench-audit: ## the audit store beside SQLite and an appended file; see bench/audit/README.md
	CARGO_TARGET_DIR="$(TARGET)/bench" $(CARGO) run --release --locked --manifest-path bench/audit/Cargo.toml -- $(ARGS)

bench-decision: ## decisions beside Cedar, Regorus, Casbin and regex::RegexSet; see bench/decision/README.md
	CARGO_TARGET_DIR="$(TARGET)/bench" $(CARGO) run --release --locked --manifest-path bench/decision/Cargo.toml

bench-instructions: ## instructions a decision, and instructions and allocations a call, held to figures; needs valgrind and python3
	$(CARGO) build --release --locked -p tokenward-compiler --example instructions
	"$(TARGET)/release/examples/instructions" bench/instructions.txt
	$(CARGO) build --release --locked -p tokenward-runtime --bin tokenward
	bench/path/path.py --binary "$(TARGET)/release/tokenward" --figures bench/path/figures.txt

bench-hostile: ## attacks, each held to its budget; AGAINST=BINARY measures another one beside; needs python3 and Linux
	$(CARGO) build --release --locked -p tokenward-runtime
	bench/hostile/hostile.py --binary "$(TARGET)/release/tokenward" $(if $(AGAINST),--against "$(AGAINST)") $(if $(ROWS),--rows "$(ROWS)")

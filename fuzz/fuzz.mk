# Fuzzing by libFuzzer: needs the stable toolchain and a C++ compiler, nothing else. See fuzz/README.md.

SECONDS ?= 60
FUZZ_JOBS ?= 1
FUZZ_TARGETS ?= line policy artifact decide json openapi request wire
# `quick` is built in a fraction of the time, and tries fewer inputs a second.
FUZZ_PROFILE ?= release
FUZZ_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_DIR = $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/fuzz
FUZZ_BIN = $(FUZZ_DIR)/$(FUZZ_HOST)/$(FUZZ_PROFILE)
# What cargo-fuzz passes with `--sanitizer none`; the crates forbid unsafe code, so no sanitizer is missed.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares

.PHONY: fuzz fuzz-build fuzz-seeds

fuzz: fuzz-seeds ## each fuzz target for SECONDS (60), FUZZ_JOBS (1) at a time; crashes land in target/fuzz/artifacts
	@printf '%s\n' $(FUZZ_TARGETS) | xargs -P $(FUZZ_JOBS) -I TARGET \
		fuzz/run.sh "$(FUZZ_BIN)" "$(FUZZ_DIR)" $(SECONDS) TARGET

fuzz-seeds: fuzz-build
	rm -rf "$(FUZZ_DIR)/seeds"
	"$(FUZZ_BIN)/seeds" "$(FUZZ_DIR)/seeds"

fuzz-build:
	cd fuzz && CARGO_TARGET_DIR="$(FUZZ_DIR)" RUSTFLAGS="$(FUZZ_FLAGS)" $(CARGO) build --profile $(FUZZ_PROFILE) --bins --target $(FUZZ_HOST)

#!/usr/bin/env bash
# Builds the playground, the page and its WebAssembly module: playground.sh DIRECTORY
#
# The module needs Rust's standard library for wasm32-unknown-unknown. If the toolchain has it (`rustup target add
# wasm32-unknown-unknown`), that is used. Otherwise, Debian has a compiler, its sources and a linker. They are unpacked below the
# target directory and not installed, and the standard library is compiled once, which takes a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
directory=${1:?usage: playground.sh DIRECTORY}
target=${CARGO_TARGET_DIR:-target}
tools=$target/playground-tools
cargo=${CARGO:-cargo}

die() {
    echo "error: $*" >&2
    exit 1
}

# Debian has a newer compiler beside its own, for the browsers that it ships.
unpack_debian() {
    [ ! -x "$tools/rustc" ] || return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        die "the standard library for wasm32-unknown-unknown is missing: rustup target add wasm32-unknown-unknown"
    local version llvm archives=$tools/archives root=$tools/root name
    rm -rf "$tools"
    mkdir -p "$archives" "$root"
    version=$(apt-cache policy rustc-web | sed -n 's/^  Candidate: \([0-9]*\.[0-9]*\).*/\1/p')
    [ -n "$version" ] || die "Debian's package rustc-web is not known here: apt-get update"
    llvm=$(apt-cache depends "libstd-rust-web-$version" | sed -n 's/.*Depends: libllvm\([0-9]*\).*/\1/p')
    (cd "$archives" && apt-get -qq download rustc-web rust-web-src libstd-rust-web-dev "libstd-rust-web-$version" \
        "libllvm$llvm" "lld-$llvm" 2>/dev/null) || die "the packages cannot be downloaded"
    for name in "$archives"/*.deb; do
        dpkg-deb --extract "$name" "$root"
    done
    rm -r "$archives"
    root=$(cd "$root" && pwd)
    # The programs find their libraries in the directory, and rustc the standard library beside itself.
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/usr/lib/x86_64-linux-gnu exec %s/usr/lib/llvm-%s/bin/wasm-ld "$@"\n' \
        "$root" "$root" "$llvm" >"$tools/wasm-ld"
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/usr/lib/x86_64-linux-gnu exec %s/usr/bin/rustc "$@"\n' "$root" "$root" >"$tools/rustc.new"
    chmod +x "$tools/wasm-ld" "$tools/rustc.new"
    compile_std "$root/usr/lib/rustlib/wasm32-unknown-unknown/lib"
    mv "$tools/rustc.new" "$tools/rustc"
}

# Compiles the standard library into the compiler's directory. Built with our own crates it would share dependencies with them, and
# some have features there that only the standard library can use.
compile_std() {
    local empty=$tools/empty
    mkdir -p "$empty/src" "$1"
    touch "$empty/src/lib.rs"
    cat >"$empty/Cargo.toml" <<'TOML'
[package]
name = "empty"
edition = "2024"
[workspace]
[profile.release]
opt-level = "z"
TOML
    # `-Zbuild-std` is not stable, hence RUSTC_BOOTSTRAP.
    (cd "$empty" && RUSTC_BOOTSTRAP=1 RUSTC=$tools/rustc.new CARGO_TARGET_DIR=$empty/target \
        "$cargo" build --release --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort)
    cp "$empty"/target/wasm32-unknown-unknown/release/deps/*.rlib "$1/"
    rm -r "$1"/libempty-*.rlib "$empty"
}

if [ ! -d "$(${RUSTC:-rustc} --print target-libdir --target wasm32-unknown-unknown)" ]; then
    mkdir -p "$target"
    tools=$(cd "$target" && pwd)/playground-tools
    unpack_debian
    # Another target directory: the crates of two compilers differ.
    export CARGO_TARGET_DIR=$target/playground-build RUSTC=$tools/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$tools/wasm-ld
fi
"$cargo" build --locked --package tokenward-playground --profile playground --target wasm32-unknown-unknown

mkdir -p "$directory"
cp docs/playground/* "$directory/"
cp "${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/playground/tokenward_playground.wasm" "$directory/playground.wasm"
echo "playground: $directory ($(wc -c <"$directory/playground.wasm") bytes of WebAssembly); serve it with any web server"

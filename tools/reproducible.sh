#!/usr/bin/env bash
# Builds the commit HEAD twice, in two directories, and compares what came out: the same source, toolchain and target have to
# give the same bytes. From any directory.
#   tools/reproducible.sh           the binary as it is released (optimised: minutes for each build)
#   tools/reproducible.sh sample    programs of the compiler and the audit, not optimised (a minute for each build); they
#                                   cover both languages, Rust and C, and the proc macros of the grammar
# REPRODUCIBLE_TARGET names another target than the host's. CARGO names another cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-whole}
top=${CARGO_TARGET_DIR:-$PWD/target}/reproducible
cargo=${CARGO:-cargo}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
host=$(rustc -vV | sed -n 's/^host: //p')
target=${REPRODUCIBLE_TARGET:-$host}
epoch=$(git log -1 --format=%ct HEAD)

case $kind in
whole)
    build=(build --release --package tokenward-runtime --bin tokenward)
    outputs=(release/tokenward)
    ;;
sample)
    build=(build --profile reproducible-sample --package tokenward-compiler --example proofs --package tokenward-audit --example appender)
    outputs=(reproducible-sample/examples/proofs reproducible-sample/examples/appender)
    ;;
*)
    echo "reproducible.sh: \`$kind\` is neither \`sample\` nor left out" >&2
    exit 2
    ;;
esac

# The two builds differ in everything that must not matter: the directory and the length of its name, the language, the time zone
# and the mask of new files.
variant() { # variant NAME DIRECTORY LANGUAGE ZONE MASK
    local directory=$top/$2
    rm -rf "$directory"
    mkdir -p "$directory"
    git archive HEAD | tar -x -C "$directory"
    (
        cd "$directory"
        umask "$5"
        # `env -i`: variables of the caller, such as RUSTFLAGS of his own, do not count.
        env -i PATH="$PATH" HOME="$HOME" CARGO_HOME="$cargo_home" ${RUSTUP_HOME:+RUSTUP_HOME="$RUSTUP_HOME"} \
            ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${RUSTUP_TOOLCHAIN:+RUSTUP_TOOLCHAIN="$RUSTUP_TOOLCHAIN"} \
            LC_ALL="$3" TZ="$4" SOURCE_DATE_EPOCH="$epoch" CARGO_TARGET_DIR="$directory/target" CARGO_INCREMENTAL=0 \
            RUSTFLAGS="--remap-path-prefix=$directory=/build --remap-path-prefix=$cargo_home=/cargo" \
            CFLAGS="-ffile-prefix-map=$directory=/build -ffile-prefix-map=$cargo_home=/cargo" \
            "$cargo" "${build[@]}" --locked --quiet --target "$target"
    )
    for output in "${outputs[@]}"; do
        printf '%s  %s  %s\n' "$(sha256sum <"$directory/target/$target/$output" | cut -d' ' -f1)" "$1" "$output"
    done
}

first=$(variant first one C UTC 022)
second=$(variant second a/second/directory/with/a/longer/name C.UTF-8 Asia/Kathmandu 077)
printf '%s\n%s\n' "$first" "$second"

if [[ $(cut -d' ' -f1 <<<"$first") == "$(cut -d' ' -f1 <<<"$second")" ]]; then
    echo "reproducible: both builds of $(git rev-parse --short=12 HEAD) are the same ($(rustc --version), $target)"
else
    echo "reproducible: the builds differ; both are kept in $top" >&2
    exit 1
fi

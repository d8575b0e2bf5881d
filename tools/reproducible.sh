#!/usr/bin/env bash
# Builds the commit HEAD twice, in two directories, and compares what came out: the same source, toolchain and target have to
# give the same bytes. From any directory.
#   tools/reproducible.sh           the binary as it is released (optimised: minutes for each build)
#   tools/reproducible.sh sample    the libraries of the compiler and the audit with all that they need, and one program, not
#                                   optimised (a minute for each build). They cover both languages, Rust and C, the macros of
#                                   the grammar, and a linker
# REPRODUCIBLE_TARGET names another target than the host's. CARGO names another cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-whole}
top=${CARGO_TARGET_DIR:-$PWD/target}/reproducible
cargo=${CARGO:-cargo}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
host=$(rustc -vV | sed -n 's/^host: //p')
target=${REPRODUCIBLE_TARGET:-$host}
# Fixed here: the branch may move on while the first build runs.
commit=$(git rev-parse HEAD)
epoch=$(git log -1 --format=%ct "$commit")

case $kind in
whole)
    build=(build --release --package tokenward-runtime --bin tokenward)
    outputs=(release/tokenward)
    ;;
sample)
    build=(build --profile reproducible-sample --package tokenward-compiler --package tokenward-audit --package tokenward-sbom)
    outputs=(reproducible-sample/tokenward-sbom 'reproducible-sample/deps/*.rlib')
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
    git archive "$commit" | tar -x -C "$directory"
    (
        cd "$directory"
        umask "$5"
        # `env -i`: the variables of the caller, such as RUSTFLAGS, do not count.
        env -i PATH="$PATH" HOME="$HOME" CARGO_HOME="$cargo_home" ${RUSTUP_HOME:+RUSTUP_HOME="$RUSTUP_HOME"} \
            ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${RUSTUP_TOOLCHAIN:+RUSTUP_TOOLCHAIN="$RUSTUP_TOOLCHAIN"} \
            LC_ALL="$3" TZ="$4" SOURCE_DATE_EPOCH="$epoch" CARGO_TARGET_DIR="$directory/target" CARGO_INCREMENTAL=0 \
            RUSTFLAGS="--remap-path-prefix=$directory=/build --remap-path-prefix=$cargo_home=/cargo" \
            CFLAGS="-ffile-prefix-map=$directory=/build -ffile-prefix-map=$cargo_home=/cargo" \
            "$cargo" "${build[@]}" --locked --quiet --target "$target"
    )
    # The names of libraries have digests of their own, which have to be the same too.
    (cd "$directory/target/$target" && for output in "${outputs[@]}"; do sha256sum $output; done) >"$top/$1.digests"
}

mkdir -p "$top"
variant first one C UTC 022
variant second a/second/directory/with/a/longer/name C.UTF-8 Asia/Kathmandu 077
for build_name in first second; do
    echo "$build_name build: $(head -n 1 "$top/$build_name.digests") ($(wc -l <"$top/$build_name.digests") files)"
done
if ! diff "$top/first.digests" "$top/second.digests" >"$top/differences"; then
    cat "$top/differences"
    echo "reproducible: the builds differ; both are kept in $top" >&2
    exit 1
fi
echo "reproducible: both builds of ${commit::12} are the same ($(rustc --version), $target)"
rm -rf "$top/one" "$top/a"

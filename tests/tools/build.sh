#!/usr/bin/env bash
# Builds the worker: build.sh [--features F] [--out DIR]
#
#   build.sh                                            build/               what is deployed
#   build.sh --features test-hooks --out target/build-test   the same with routes that provoke faults
#
# Does nothing when nothing it is made from has changed, so wrangler.toml can call it before every
# `wrangler dev` and `wrangler deploy`. The wasm-bindgen family comes from the project's own folders;
# worker-build would otherwise download each of them.
set -eu
. "$(dirname "$0")/lib.sh"

features="" out=build
while [ $# -gt 0 ]; do
  case $1 in
    --features) features=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    *) fail "build.sh: unknown argument $1 (known: --features F, --out DIR)" ;;
  esac
done

[ -x "$WORKER_BUILD_DIR/bin/worker-build" ] && [ -x "$WASM_BINDGEN_DIR/bin/wasm-bindgen" ] &&
  [ -x node_modules/.bin/wasm-opt ] && [ -x node_modules/.bin/esbuild ] ||
  fail "The build tools are not installed yet. Run: make setup"

# Everything the result depends on. Contents, not times: going back to an older commit counts as a
# change, touching a file does not.
inputs() {
  find Cargo.toml Cargo.lock build.rs src docs/openapi.* -type f 2>/dev/null | LC_ALL=C sort
  find package-lock.json tests/tools/build.sh tests/tools/lib.sh
}
fingerprint() {
  # shellcheck disable=SC2046  # our own file names hold no blanks
  { hash_of $(inputs); echo "$features ${RUSTFLAGS:-}"; rustc --version; } | git hash-object --stdin
}

stamp=$out/.fingerprint
# Before the lock: the usual answer, that nothing has changed, needs nobody to wait.
want=$(fingerprint)
if [ -f "$out/index.js" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
  say "$out/index.js is up to date"
  exit 0
fi

# Both flavours end as the same file in cargo's folder before wasm-bindgen reads it: one at a time.
with_lock build
want=$(fingerprint)
rm -f "$stamp"
started=$SECONDS
say "building $out/index.js${features:+ with $features} (1 to 2 min from cold, 15 s after a change)"

export WASM_BINDGEN_BIN="$ROOT/$WASM_BINDGEN_DIR/bin/wasm-bindgen"
export WASM_OPT_BIN="$ROOT/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$ROOT/node_modules/.bin/esbuild"
"$WORKER_BUILD_DIR/bin/worker-build" --release --out-dir "$out" ${features:+--features "$features"}

# The names of functions are needed up to here only: 45 KB of the wasm as it is sent. A panic still says file and line.
# Sorted by their names functions that are alike stand together: gzip finds them within its 32 KB. For speed (-O3), and small
# functions are put where they are called, which rustc leaves out where it builds for size: -aimfs 12 and -fimfs 40 are the size up to
# which that is done, in binaryen's units (its own are 2 and 20). They make 22 KB, and some 60 of the 600 us that a push with one caller
# had above the bare Worker (14 and 40, nine rounds by turns). When the wasm comes to its limit, these go down first.
"$WASM_OPT_BIN" -O3 -aimfs 12 -fimfs 40 --reorder-functions-by-name --reorder-locals --strip-debug \
  "$out/index_bg.wasm" -o "$out/index_bg.wasm"

# What the platform calls instead of worker-build's class.
mv "$out/index.js" "$out/built.js"
cp src/edge/entry.js "$out/entry.js"
# wasm-bindgen names a module of ours once for each of its parts, with the same value: nothing to warn of.
"$ESBUILD_BIN" "$out/entry.js" --bundle --minify --format=esm --external:./index_bg.wasm '--external:cloudflare:*' \
  --log-level=warning --log-override:duplicate-object-key=silent --outfile="$out/index.js"
rm "$out/built.js" "$out/entry.js"

[ -f "$out/index.js" ] || fail "worker-build ended without an error, but $out/index.js is not there"
printf '%s\n' "$want" >"$stamp"
say "built $out/index.js in $((SECONDS - started)) s"

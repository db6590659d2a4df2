#!/usr/bin/env bash
# Installs what building and testing need, from package registries only, into target/tools and
# node_modules. Safe to run any number of times: what is there in the right version is left alone.
#
#   setup.sh           what `make dev` and `make deploy` need
#   setup.sh --audit   also cargo-deny, for `make test` and `make audit`
set -u
. "$(dirname "$0")/lib.sh"

AUDIT=0
[ "${1:-}" = "--audit" ] && AUDIT=1
STEPS=$((5 + AUDIT))
step=0
LOGS=$TOOLS/logs
mkdir -p "$LOGS"

begin() {
  step=$((step + 1))
  printf '[%d/%d] %s ... ' "$step" "$STEPS" "$1"
}
done_in() { printf 'done in %ds\n' "$((SECONDS - $1))"; }

# run_logged LOG COMMAND...: a dot every 5 s; on failure the end of the log and where the rest is.
run_logged() {
  local log=$LOGS/$1 dots status=0
  shift
  # Ends by itself should this script be killed: nobody else would end it.
  (while sleep 5 && kill -0 $$; do printf .; done) 2>/dev/null &
  dots=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill $dots
  wait $dots 2>/dev/null
  if [ $status -ne 0 ]; then
    printf ' FAILED\n\n'
    tail -n 30 "$log" >&2
    fail "'$*' failed; the whole log is in $log"
  fi
}

# --- 1: what has to be there already ------------------------------------------------------------

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing
  $1: $2"; }
# at_least A B: version A >= version B, by major and minor.
at_least() {
  awk -v a="$1" -v b="$2" 'BEGIN { split(a, x, "."); split(b, y, "."); exit !(x[1] > y[1] || (x[1] == y[1] && x[2] + 0 >= y[2] + 0)) }'
}

check_programs() {
  begin "programs"
  need cargo "install Rust from https://rustup.rs"
  need rustc "install Rust from https://rustup.rs"
  # The machine's own Node runs npm, nothing else; lib.sh puts the project's Node first, so ask past it.
  need npm "install Node.js 20 or newer (it brings npm) from https://nodejs.org"
  need git "install git from your system's packages"
  need curl "install curl from your system's packages"
  local system_node node_version rust_version rust_needed
  system_node=$(PATH=${PATH#"$ROOT/node_modules/.bin:"}; command -v node)
  if [ -z "$system_node" ]; then
    missing="$missing
  node: install Node.js 20 or newer from https://nodejs.org"
  else
    node_version=$("$system_node" -p process.versions.node)
    at_least "$node_version" 20.0 || missing="$missing
  node: found $node_version, needed 20 or newer; install it from https://nodejs.org"
  fi
  if command -v rustc >/dev/null 2>&1; then
    rust_version=$(rustc --version | awk '{ print $2 }')
    rust_needed=$(awk -F'"' '/^rust-version/ { print $2; exit }' Cargo.toml)
    at_least "$rust_version" "$rust_needed" || missing="$missing
  rustc: found $rust_version, needed $rust_needed or newer; run: rustup update stable"
  fi
  if [ -n "$missing" ]; then
    printf 'MISSING\n'
    fail "edgepush needs these on the machine before it can set itself up:$missing"
  fi
  say "rustc $rust_version, node $node_version"
}

# --- 2: Rust target and components --------------------------------------------------------------

# rustup_add target|component NAME: with rustup if there is one, else say what is missing.
rustup_add() {
  command -v rustup >/dev/null 2>&1 || {
    printf 'MISSING\n'
    fail "This Rust has no $2 and there is no rustup to add it. Install Rust from https://rustup.rs"
  }
  run_logged rustup.log rustup "$1" add "$2"
}

check_rust() {
  begin "Rust: wasm32-unknown-unknown, rustfmt, clippy"
  local started=$SECONDS
  # `rustup target list` takes seconds; where rustc would look for the target takes none.
  [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ] ||
    rustup_add target wasm32-unknown-unknown
  cargo fmt --version >/dev/null 2>&1 || rustup_add component rustfmt
  cargo clippy --version >/dev/null 2>&1 || rustup_add component clippy
  done_in "$started"
}

# --- 3: tools built from crates.io --------------------------------------------------------------

# check_crate NAME VERSION DIR BINARY [cargo install options]
# `--debug` without debug information: these programs only drive others, so the quickest build is the
# best one. They share a build folder, so what one compiled the next one reuses, and an installation
# that was broken off goes on where it stopped.
check_crate() {
  local name=$1 version=$2 dir=$3 binary=$4 started=$SECONDS
  shift 4
  [ -n "$version" ] || fail "Cargo.lock names no version for $name"
  begin "$name $version"
  if [ ! -x "$dir/bin/$binary" ]; then
    printf '1 to 2 min the first time '
    CARGO_TARGET_DIR=$ROOT/$TOOLS/cache CARGO_PROFILE_DEV_DEBUG=0 run_logged "$name.log" \
      cargo install "$name" --version "$version" --locked --debug --root "$dir" "$@"
    printf ' '
  fi
  done_in "$started"
}

check_crates() {
  check_crate worker-build "$WORKER_BUILD_VERSION" "$WORKER_BUILD_DIR" worker-build
  check_crate wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_DIR" wasm-bindgen --no-default-features
  [ $AUDIT -eq 0 ] || check_crate cargo-deny "$CARGO_DENY_VERSION" "$CARGO_DENY_DIR" cargo-deny
  rm -rf "${ROOT:?}/$TOOLS/cache"
}

# --- 4: npm packages, among them Node itself ----------------------------------------------------

check_npm() {
  begin "npm packages"
  local started=$SECONDS stamp=node_modules/.edgepush-lock want
  want=$(hash_of package.json package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || [ ! -e node_modules/.bin/node ]; then
    printf 'a minute the first time '
    # The system's Node runs npm: `npm ci` takes node_modules away, and the project's Node with it.
    PATH=${PATH#"$ROOT/node_modules/.bin:"} run_logged npm.log npm ci --no-audit --no-fund
    node_modules/.bin/node --version >/dev/null 2>&1 ||
      fail "npm installed, but node_modules/.bin/node does not run. Install scripts must be allowed for the package 'node'; see $LOGS/npm.log"
    printf '%s\n' "$want" >"$stamp"
    printf ' '
  fi
  printf 'node %s, ' "$(node_modules/.bin/node --version)"
  done_in "$started"
}

check_programs
with_lock setup
check_rust
check_crates
check_npm

# shellcheck shell=bash
# What every script in this folder needs: where the project is, which tool versions belong to it, and
# a few words to say things with. Sourced, never run. Kept to what bash 3.2 (macOS) understands.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT" || exit 1

TOOLS=target/tools

# A locked version is written down once, in Cargo.lock: library and command line of wasm-bindgen must
# match to the patch, and worker-build is released together with `worker` under the same number.
locked_version() {
  awk -v want="name = \"$1\"" '$0 == want { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}
WORKER_BUILD_VERSION=$(locked_version worker)
WASM_BINDGEN_VERSION=$(locked_version wasm-bindgen)
CARGO_DENY_VERSION=0.20.2
SCHEMATHESIS_VERSION=4.32.5
HTTP_ECE_VERSION=1.2.1

WORKER_BUILD_DIR=$TOOLS/worker-build-$WORKER_BUILD_VERSION
WASM_BINDGEN_DIR=$TOOLS/wasm-bindgen-$WASM_BINDGEN_VERSION
CARGO_DENY_DIR=$TOOLS/cargo-deny-$CARGO_DENY_VERSION
SCHEMATHESIS_DIR=$TOOLS/schemathesis-$SCHEMATHESIS_VERSION
INTEROP_DIR=$TOOLS/http-ece-$HTTP_ECE_VERSION

# The Node that package-lock.json names comes first, whatever the machine has; wrangler asks for >= 22.
export PATH="$ROOT/node_modules/.bin:$PATH"
# Neither tool may call home from a build or a test.
export WRANGLER_SEND_METRICS=false
export WRANGLER_LOG_PATH="$ROOT/target/wrangler-logs"

say() { printf '%s\n' "$*"; }
fail() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

# hash_of FILE...: one digest over names and contents. git is there anyway, and spells the same
# everywhere; sha256sum does not.
hash_of() {
  { printf '%s\n' "$@"; printf '%s\n' "$@" | git hash-object --no-filters --stdin-paths; } | git hash-object --stdin
}

# with_lock NAME: from here to the end of the script, nobody else holds NAME. Two `make` at once would
# otherwise install or build into the same folder. A lock whose owner is gone is taken over.
with_lock() {
  local lock="$TOOLS/lock-$1" owner waited=0
  mkdir -p "$TOOLS"
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$lock"
      continue
    fi
    [ $waited -eq 0 ] && say "waiting for another run that holds $lock (process ${owner:-unknown})"
    waited=$((waited + 1))
    [ $waited -gt 1800 ] && fail "gave up after 30 minutes; if nothing else is running, remove $lock"
    sleep 1
  done
  echo $$ >"$lock/pid"
  # shellcheck disable=SC2064  # the name is fixed now, not at exit
  trap "rm -rf '$ROOT/$lock'" EXIT
}

# need_python TARGET DIR REQUIREMENTS [OPTION...]: DIR holds these packages, installed by pip with the options.
need_python() {
  local target=$1 dir=$2 requirements=$3 stamp=$2/.requirements want
  shift 3
  command -v python3 >/dev/null 2>&1 ||
    fail "make $target needs python3 (3.10 or newer), which is not on this machine. make fuzz and make interop alone do."
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "make $target needs Python 3.10 or newer; found $(python3 --version)"
  want=$(hash_of "$requirements")
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  with_lock "$target"
  say "installing what make $target needs into $dir (half a minute, the first time only)"
  mkdir -p "$TOOLS/logs"
  rm -rf "$dir"
  { python3 -m venv "$dir" &&
    "$dir/bin/python" -m pip install --quiet "$@" -r "$requirements"; } >"$TOOLS/logs/$target.log" 2>&1 || {
    tail -n 20 "$TOOLS/logs/$target.log" >&2
    fail "the installation failed. On Debian and Ubuntu the package python3-venv is needed too."
  }
  printf '%s\n' "$want" >"$stamp"
}

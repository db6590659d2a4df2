#!/usr/bin/env bash
# `make fuzz`: Schemathesis sends what docs/openapi.yaml allows, and what it does not, to a worker of its
# own. FUZZ_SECONDS (120) bounds it. The only target that needs Python, so only it asks for Python.
set -u
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null 2>&1 ||
  fail "make fuzz needs python3 (3.10 or newer), which is not on this machine. Nothing else does."
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  fail "make fuzz needs Python 3.10 or newer; found $(python3 --version)"

requirements=tests/tools/fuzz-requirements.txt
stamp=$SCHEMATHESIS_DIR/.requirements
want=$(hash_of $requirements)
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
  with_lock fuzz
  say "installing schemathesis $SCHEMATHESIS_VERSION into $SCHEMATHESIS_DIR (half a minute, the first time only)"
  mkdir -p "$TOOLS/logs"
  rm -rf "$SCHEMATHESIS_DIR"
  { python3 -m venv "$SCHEMATHESIS_DIR" &&
    "$SCHEMATHESIS_DIR/bin/python" -m pip install --quiet -r $requirements; } >"$TOOLS/logs/fuzz.log" 2>&1 || {
    tail -n 20 "$TOOLS/logs/fuzz.log" >&2
    fail "installing schemathesis failed. On Debian and Ubuntu the package python3-venv is needed too."
  }
  printf '%s\n' "$want" >"$stamp"
fi

exec env SCHEMATHESIS="$ROOT/$SCHEMATHESIS_DIR/bin/schemathesis" node tests/tools/fuzz.ts

#!/usr/bin/env bash
# `make fuzz`: Schemathesis sends what docs/openapi.yaml allows, and what it does not, to a worker of its
# own. FUZZ_SECONDS (120) bounds it. It needs Python, as `make interop` does and no other target.
set -u
. "$(dirname "$0")/lib.sh"

need_python fuzz "$SCHEMATHESIS_DIR" tests/tools/fuzz-requirements.txt

exec env SCHEMATHESIS="$ROOT/$SCHEMATHESIS_DIR/bin/schemathesis" node tests/tools/fuzz.ts

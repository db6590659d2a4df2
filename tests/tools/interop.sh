#!/usr/bin/env bash
# `make interop`: what the crate encrypts for browsers, read by a Python library that is not ours. The JavaScript one reads
# the same bodies in every run of the lab's tests; this one needs Python and a registry, so it is a command of its own.
set -u
. "$(dirname "$0")/lib.sh"

need_python interop "$INTEROP_DIR" tests/tools/interop-requirements.txt --require-hashes
# The bodies in tests/fixtures are those of the crate as it is now.
cargo test --locked --quiet --test webpush_vectors || fail "tests/fixtures/webpush.json is not what the crate makes"
"$INTEROP_DIR/bin/python" tests/tools/interop.py

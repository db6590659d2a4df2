#!/usr/bin/env bash
# Known vulnerabilities in the dependency tree (cargo-deny, RustSec). A target of its own: the database
# is a git repository on a public host, and a network that reaches only package registries has none.
set -u
. "$(dirname "$0")/lib.sh"

log=$TOOLS/logs/audit.log
mkdir -p "$TOOLS/logs"
"$CARGO_DENY_DIR/bin/cargo-deny" --all-features --locked check advisories >"$log" 2>&1
status=$?
cat "$log"
if [ $status -ne 0 ] && grep -q -i -E 'failed to (fetch|clone|acquire|load|open).*(advisory|database)|failed to fetch advisory' "$log"; then
  fail "The advisory database could not be fetched, so nothing was checked. It is a public git repository
(see db-urls in deny.toml); run this again on a network that reaches it."
fi
exit $status

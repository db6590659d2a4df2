#!/usr/bin/env bash
# Removes what was built and all local state. The tools stay: they take minutes to build and are keyed
# by their version. `rm -rf target node_modules` removes those too.
set -eu
. "$(dirname "$0")/lib.sh"

rm -rf build .wrangler
[ -d target ] && find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +
say "removed build/, .wrangler/ and target/ except target/tools/"

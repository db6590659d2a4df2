# shellcheck shell=bash
# The parts that `make test` and its smaller targets are made of: one function each, named part_<name>,
# with a line for people in title_<name>. run-parts.sh runs them.

# Part names in the order `make test` runs them: quick verdicts first, what needs both builds last.
ALL_PARTS="fmt clippy clippy-wasm types deny native lab build build-test worker size deploy tools dev bench sim"

# A test that says nothing of its own time is given up after so long, milliseconds.
TEST_TIMEOUT=600000

# node_tests WHAT GLOB...: node's own runner; a folder without a single test is a failure, not a pass. When all tests and what
# follows them (`after`) are done it ends: a failed test that has left a runtime or a server open does not keep the run from
# saying so.
node_tests() {
  local what=$1
  shift
  # shellcheck disable=SC2086
  set -- $(find_tests "$@")
  [ $# -gt 0 ] || { say "no $what test files found"; return 1; }
  node --test --test-force-exit --test-timeout=$TEST_TIMEOUT "$@"
}
find_tests() {
  local pattern
  for pattern in "$@"; do
    # shellcheck disable=SC2086
    for file in $pattern; do [ -f "$file" ] && printf '%s\n' "$file"; done
  done
}

title_fmt="format (cargo fmt)"
part_fmt() { cargo fmt --all --check; }

title_clippy="lints, host"
part_clippy() { cargo clippy --locked --all-targets --all-features -- -D warnings; }

# With and without test-hooks: what is deployed must be free of warnings too.
title_clippy_wasm="lints, wasm32"
part_clippy_wasm() {
  cargo clippy --locked --lib --target wasm32-unknown-unknown --all-features -- -D warnings &&
    cargo clippy --locked --lib --target wasm32-unknown-unknown -- -D warnings
}

title_types="types of the test code (tsc)"
part_types() { tsc -p tsconfig.json; }

# Advisories are not asked here: their database is on a host that not every network reaches. `make audit`.
title_deny="dependencies: bans, licences, sources"
part_deny() { "$CARGO_DENY_DIR/bin/cargo-deny" --all-features --locked check --hide-inclusion-graph bans licenses sources; }

title_native="native tests (cargo test)"
part_native() { cargo test --locked --all-features; }

title_lab="tests of the lab"
part_lab() { node_tests lab 'tests/lab/*.test.ts'; }

title_build="build, as deployed"
part_build() { tests/tools/build.sh; }

title_build_test="build, with test-hooks"
part_build_test() { tests/tools/build.sh --features test-hooks --out target/build-test; }

title_worker="worker tests under workerd"
part_worker() { node_tests worker 'tests/worker/*.spec.ts'; }

# Kilobytes of 1,000 bytes: the stricter reading of the limit.
WASM_LIMIT=700000
title_size="size of the wasm"
part_size() {
  local wasm=build/index_bg.wasm size
  [ -f $wasm ] || { say "$wasm is not there; run: make build"; return 1; }
  size=$(gzip -9 -c $wasm | wc -c | tr -d ' ')
  say "$wasm: $(wc -c <$wasm | tr -d ' ') bytes, $size bytes gzip; limit $WASM_LIMIT"
  [ "$size" -le $WASM_LIMIT ] || { say "too large by $((size - WASM_LIMIT)) bytes"; return 1; }
}

title_deploy="deploy, dry run"
part_deploy() { node tests/tools/deploy.ts --dry-run; }

title_tools="tests of these tools"
part_tools() { node_tests tools 'tests/tools/*.test.ts'; }

title_dev="make dev, start to end"
part_dev() { node_tests dev 'tests/dev/*.test.ts'; }

title_bench="the benchmark works (a smoke run, no verdict on speed)"
part_bench() { node_tests bench 'tests/bench/*.test.ts'; }

title_sim="the simulated day works (a small one)"
part_sim() { node_tests sim 'tests/sim/*.test.ts'; }

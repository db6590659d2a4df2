// The JavaScript half of the values of a statement; the Rust half is `src/wire/values.rs`, with the same literals.

import assert from "node:assert/strict";
import { test } from "node:test";

const { apart } = await import(new URL("../../src/edge/glue.js", import.meta.url).href);

test("the values of a statement are taken apart as they were put together", () => {
  for (const [list, values] of [
    ["", []],
    ["n", [null]],
    ["t", [""]],
    ['tn\u001f7\u001fn\u001ft{"a":"\\u001f"}', ["n", 7, null, '{"a":"\\u001f"}']],
    ["t[1]\u001ft7\u001ftt\u001f0", ["[1]", "7", "t", 0]],
    ['[7,null,"a\\u001fb"]', [7, null, "a\u001fb"]],
  ] as const) {
    assert.deepEqual(apart(list), values, list);
  }
});

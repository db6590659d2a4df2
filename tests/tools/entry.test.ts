// What the platform calls (`src/edge/entry.js`), around a wasm that only writes down how it is made and called.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

/** What a trap throws; the types of Node do not name it. */
const { RuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: ErrorConstructor } }).WebAssembly;

const WRANGLER = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
const OBJECTS = [...WRANGLER.matchAll(/class_name = "(\w+)"/g)].map(([, name]) => name!);

const told: string[] = [];
const state = { criticalError: false, instanceId: 1 };
/** What the next call or the next object of the wasm throws. */
let fault: Error | undefined;
/** What of it traps the next time. */
let faultAt: string | undefined;

function happens(what: string): string {
  told.push(what);
  const error = what === faultAt ? new RuntimeError(`at ${what}`) : fault;
  if (what === faultAt) faultAt = undefined;
  else fault = undefined;
  if (error !== undefined) throw error;
  return what;
}

Object.assign(globalThis, {
  __worker_init_state: state,
  HAPPENS: happens,
  // As `checkReinitialize` of worker-build does.
  RESTART: () => {
    told.push(state.criticalError ? "new instance" : "a proxy for nothing");
    if (!state.criticalError) return;
    state.criticalError = false;
    state.instanceId++;
  },
});

/** A module as worker-build makes it: classes behind a proxy that looks for a fault before it makes one. */
const BUILT = `
const outer = (Inner) => new Proxy(Inner, { construct: (Of, given) => (RESTART(), Reflect.construct(Of, given)) });
class Entrypoint {
  fetch(request) { return HAPPENS("fetch " + [request, this.env, this.ctx].join()); }
  queue(batch) { return HAPPENS("queue " + [batch, this.env, this.ctx].join()); }
}
const object = (name, alarm) => {
  class Inner {
    constructor(ctx, env) { HAPPENS("made " + [name, ctx, env].join()); }
    get calls() {
      HAPPENS(name + " calls");
      const { instanceId } = __worker_init_state;
      return (text) => {
        if (instanceId !== __worker_init_state.instanceId) throw new Error("of an instance that is over");
        return HAPPENS(name + " call " + text);
      };
    }
  }
  if (alarm) Inner.prototype.alarm = () => HAPPENS(name + " alarm");
  return outer(Inner);
};
export default outer(Entrypoint);
${OBJECTS.map((name) => `export const ${name} = object("${name}", ${name !== "Letters"});`).join("\n")}
`;

type Class = new (ctx: string, env: string) => { call(text: string): string; alarm?(): string };
type Handler = (given: string, env: string, ctx: string) => string;

const folder = mkdtempSync(join(tmpdir(), "entry-"));
writeFileSync(join(folder, "package.json"), '{"type":"module"}');
writeFileSync(join(folder, "built.js"), BUILT);
// A class whose objects can be called from elsewhere, as far as `entry.js` needs it.
writeFileSync(join(folder, "workers.js"), "export class DurableObject { constructor(ctx, env) { Object.assign(this, { ctx, env }); } }");
const source = readFileSync(new URL("../../src/edge/entry.js", import.meta.url), "utf8");
writeFileSync(join(folder, "entry.js"), source.replace('"cloudflare:workers"', '"./workers.js"'));
const entry = await import(pathToFileURL(join(folder, "entry.js")).href);
rmSync(folder, { recursive: true });
const events = entry.default as { fetch: Handler; queue: Handler };

function since(): string[] {
  return told.splice(0);
}

test("events are called with the bindings and the context, without an object of the class", () => {
  assert.equal(events.fetch("request", "env", "ctx"), "fetch request,env,ctx");
  assert.equal(events.queue("batch", "env", "ctx"), "queue batch,env,ctx");
  assert.deepEqual(since(), ["fetch request,env,ctx", "queue batch,env,ctx"]);
});

test("a trap is a fault, any other error is none; the next event finds a new instance", () => {
  fault = new Error("no fault");
  assert.throws(() => events.fetch("1", "env", "ctx"), /no fault/);
  assert.equal(state.criticalError, false);
  fault = new RuntimeError("unreachable");
  assert.throws(() => events.fetch("2", "env", "ctx"), /unreachable/);
  assert.equal(state.criticalError, true);
  events.queue("3", "env", "ctx");
  assert.deepEqual(since(), ["fetch 1,env,ctx", "fetch 2,env,ctx", "new instance", "queue 3,env,ctx"]);
});

test("each object of wrangler.toml is there, and has an alarm where its class has one", () => {
  assert.ok(OBJECTS.length >= 9);
  assert.deepEqual(Object.keys(entry).sort(), [...OBJECTS, "default"].sort());
  for (const name of OBJECTS) {
    const made = new (entry[name] as Class)("ctx", "env");
    assert.equal(typeof made.alarm, name === "Letters" ? "undefined" : "function", name);
  }
  since();
});

test("an object is made once, and anew in a new instance, whoever noticed the fault", () => {
  const ledger = new (entry.Ledger as Class)("ctx", "env");
  ledger.call("1");
  assert.equal(ledger.alarm!(), "Ledger alarm");
  assert.deepEqual(since(), ["made Ledger,ctx,env", "Ledger calls", "Ledger call 1", "Ledger alarm"]);
  // Its own fault.
  fault = new RuntimeError("unreachable");
  assert.throws(() => ledger.alarm!(), /unreachable/);
  ledger.call("2");
  ledger.call("3");
  assert.deepEqual(since(), ["Ledger alarm", "new instance", "made Ledger,ctx,env", "Ledger calls", "Ledger call 2", "Ledger call 3"]);
  // Another's, after which an event was first.
  state.criticalError = true;
  events.fetch("4", "env", "ctx");
  ledger.call("5");
  assert.deepEqual(since(), ["new instance", "fetch 4,env,ctx", "made Ledger,ctx,env", "Ledger calls", "Ledger call 5"]);
});

test("an object that could not be made is made by the next call", () => {
  fault = new RuntimeError("unreachable");
  assert.throws(() => new (entry.User as Class)("ctx", "env"), /unreachable/);
  assert.equal(state.criticalError, true);
  const user = new (entry.User as Class)("ctx", "env");
  state.criticalError = true;
  fault = new RuntimeError("once more");
  assert.throws(() => user.call("1"), /once more/);
  assert.equal(user.call("2"), "User call 2");
  const made = ["new instance", "made User,ctx,env"];
  assert.deepEqual(since(), ["made User,ctx,env", ...made, "User calls", ...made, ...made, "User calls", "User call 2"]);
});

test("an object that did not say what takes its calls is made by the next one", () => {
  const user = new (entry.User as Class)("ctx", "env");
  since();
  state.criticalError = true;
  faultAt = "User calls";
  assert.throws(() => user.call("1"), /at User calls/);
  assert.equal(state.criticalError, true);
  assert.equal(user.call("2"), "User call 2");
  const made = ["new instance", "made User,ctx,env", "User calls"];
  assert.deepEqual(since(), [...made, ...made, "User call 2"]);
});

// What the platform calls. worker-build puts a proxy around each class and each of its functions, and the platform asks a class for
// an object, and the object for twenty properties, at each request; here the functions and the classes inside are called without
// that. After a fault worker-build's own are asked first: they make a new instance of the wasm.

import { DurableObject } from "cloudflare:workers";
import * as built from "./built.js";

/** That of the `worker` crate: whether the instance has had a fault, and which it is. */
const state = globalThis.__worker_init_state;

/** Calls a function of the wasm's. */
function call(what, self, given) {
  try {
    return what.call(self, given);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) {
      console.error("Critical", error);
      state.criticalError = true;
    }
    throw error;
  }
}

const { default: Built } = built;
const { fetch, queue } = Built.prototype;

/** `this` of an event. There is a whole instance then. */
function event(env, ctx) {
  if (state.criticalError) new Built(ctx, env);
  return { env, ctx };
}

export default {
  fetch: (request, env, ctx) => call(fetch, event(env, ctx), request),
  queue: (batch, env, ctx) => call(queue, event(env, ctx), batch),
};

/** The class of an object, which lives on in a new instance of the wasm. */
function object(Outer) {
  const Inner = Outer.prototype.constructor;
  const Class = class extends DurableObject {
    #inner;
    #calls;
    #instance;

    constructor(ctx, env) {
      super(ctx, env);
      this.#make();
    }

    #make() {
      try {
        this.#inner = new (state.criticalError ? Outer : Inner)(this.ctx, this.env);
        this.#calls = this.#inner.calls;
        this.#instance = state.instanceId;
      } catch (error) {
        state.criticalError = true;
        throw error;
      }
    }

    /** Makes it anew where its instance is over. */
    #renew() {
      if (state.criticalError || this.#instance !== state.instanceId) this.#make();
    }

    /** Text in, text out. */
    call(text) {
      this.#renew();
      return this.#calls(text);
    }

    alarm() {
      this.#renew();
      return call(this.#inner.alarm, this.#inner);
    }
  };
  // The platform refuses to set an alarm that nobody takes.
  if (Inner.prototype.alarm === undefined) delete Class.prototype.alarm;
  return Class;
}

// Each object of wrangler.toml.

export const Account = object(built.Account);
export const App = object(built.App);
export const Audience = object(built.Audience);
export const Census = object(built.Census);
export const Claim = object(built.Claim);
export const Import = object(built.Import);
export const Ledger = object(built.Ledger);
export const Letters = object(built.Letters);
export const User = object(built.User);

// What wasm waits for. JavaScript begins a piece of I/O under a number, and hands over under that number what came of it; a call
// that waits is a number too, until its future has ended. The Rust half is `wait.rs` and `promise.rs`.

/** What an instance of the wasm is called by. */
let hands;
/** Which instance it is. What an earlier one has begun is nothing to this one. */
let instance = 0;
/** This instance has had a fault. The next call makes a new one; what has waited meanwhile must not enter this one. */
let broken = false;
/** Calls that are not answered yet, by the number of the future that answers. */
const waiting = new Map();

/** A new instance begins. `answer` answers a request; `came`, `brought` and `failed` take what I/O gives, `lost` that it gives
 * nothing; `turn` goes on with what is ready. */
export function started(answer, came, brought, failed, lost, turn) {
  leave();
  hands = { answer, came, brought, failed, lost, turn };
  instance++;
  broken = false;
}

/** Nobody will answer what waits. */
function leave() {
  for (const { reject } of waiting.values()) reject(new Error("the instance had a fault"));
  waiting.clear();
}

/** What this instance is called by. */
export function called() {
  return hands;
}

/** The instance is at its end: a `RuntimeError` in the runtime's `error` event restarts it. */
function fault(error) {
  broken = true;
  leave();
  reportError(error instanceof WebAssembly.RuntimeError ? error : new WebAssembly.RuntimeError(String(error)));
}

/** Calls into wasm for an answer. What it throws as one is no fault; a trap is, and a full stack, which is a `RangeError`. */
export function enter(step) {
  if (broken) throw new Error("the instance is being restarted");
  try {
    return step();
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError) fault(error);
    throw error;
  }
}

/** What a future gave, or a promise of it where it gave its number: nothing that is handed over is a number. */
export function later(given) {
  if (typeof given !== "number") return given;
  return new Promise((resolve, reject) => waiting.set(given, { resolve, reject }));
}

/** A future has ended. Some have nobody who waits. */
export function ended(future, value, well) {
  const call = waiting.get(future);
  if (call === undefined) return;
  waiting.delete(future);
  if (well) call.resolve(value);
  else call.reject(value);
}

/** A future was dropped before its end. */
export function cancelled(future) {
  waiting.delete(future);
}

const settled = Promise.resolve();

/** A turn, as soon as what runs now has run. workerd's `queueMicrotask` costs several times a promise's `then`. */
export function soon() {
  const born = instance;
  settled.then(() => give(born, hands.turn));
}

/** Calls into wasm with what has come. Nothing is answered, so whatever is thrown is a fault. */
function give(born, take, number, what) {
  if (born !== instance || broken) return;
  try {
    take(number, what);
  } catch (error) {
    fault(error);
  }
}

/** Where nothing can come any more, because the platform has cancelled the request, the number is given back. */
const gone = new FinalizationRegistry(({ born, numbers }) => {
  for (const number of numbers) give(born, hands.lost, number);
});

/** I/O that began one after the other shares an entry of the registry: making one and taking it back is not cheap. It is a lot: the
 * instance, the numbers under which nothing has come yet, and how many more it takes. What may still come is all that holds it, so
 * when it is collected, nothing of it can come. */
const LOT_MAX = 64;
let last = new WeakRef({});

/** The lot that I/O of this number is in. */
function lotOf(number) {
  let lot = last.deref();
  if (lot === undefined || lot.left === 0 || lot.born !== instance) {
    const shared = { born: instance, numbers: new Set() };
    lot = { ...shared, left: LOT_MAX };
    gone.register(lot, shared);
    last = new WeakRef(lot);
  }
  lot.left--;
  lot.numbers.add(number);
  return lot;
}

/** I/O that wasm waits for under a number; it has six arguments at most. A rest parameter would make an array of each call. */
export function waits(io) {
  return (number, a, b, c, d, e, f) => {
    const lot = lotOf(number);
    // The number is free before it is handed over: what goes on then may take it again.
    const failed = (error) => {
      lot.numbers.delete(number);
      give(lot.born, hands.failed, number, error instanceof Error ? error.message : "not an Error");
    };
    const came = (value) => {
      lot.numbers.delete(number);
      if (value instanceof Uint8Array) give(lot.born, hands.brought, number, value);
      else give(lot.born, hands.came, number, value);
    };
    try {
      io(a, b, c, d, e, f).then(came, failed);
    } catch (error) {
      settled.then(() => failed(error));
    }
  };
}

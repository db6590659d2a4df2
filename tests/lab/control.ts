// The control API under /_lab/: the same calls as the methods of Lab, for processes on the other side of a socket.

import { fields, InputError, optionalText, text } from "./input.ts";
import type { LabControls } from "./lab.ts";
import type { Control } from "./server.ts";
import type { TokenState } from "./tokens.ts";
import type { Answer } from "./vendors/vendor.ts";

type Call = (lab: LabControls, input: Input) => unknown;

interface Input {
  /** The last path segment, decoded. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const CALLS: Readonly<Record<string, Call>> = {
  "GET ": (lab) => ({ lab: "edgepush", vendors: lab.vendors() }),
  "POST accounts/*": async (lab, { name, body }) => {
    if (name.endsWith(":make")) return lab.make(name.slice(0, -":make".length), body ?? {});
    await lab.register(name, body);
    return {};
  },
  "GET callbacks/*": (lab, { name }) => ({ callbacks: lab.callbacks(name) }),
  "PUT consoles/*": (lab, { name, body }) => (lab.console(name, body as never), {}),
  "POST reports/*": async (lab, { name, body }) => {
    const kind = optionalText(fields(body ?? {}, "a report", ["kind"]), "kind");
    return { posts: await lab.report(name, kind as never) };
  },
  "GET reports/*": (lab, { name }) => ({ posts: lab.posts(name) }),
  "POST subscriptions": (lab, { body }) => lab.subscribe((body ?? {}) as object),
  "PUT tokens/*": (lab, { name, body }) => {
    const given = fields(body, "a token", ["vendor", "state", "timestamp", "environment", "topic"]);
    const { vendor: _, ...state } = given;
    lab.token(text(given, "vendor"), name, state as unknown as TokenState);
    return {};
  },
  "POST faults": (lab, { body }) => lab.fault(body as never),
  "GET faults": (lab) => ({ faults: lab.faults() }),
  "DELETE faults": (lab) => (lab.clearFaults(), {}),
  "GET log": (lab, { query }) => {
    const since = Number(query.get("since") ?? 0);
    if (!Number.isSafeInteger(since)) throw new InputError('"since" is a sequence number');
    const vendor = query.get("vendor");
    return { entries: lab.log(vendor === null ? { since } : { since, vendor }) };
  },
  "DELETE log": (lab) => (lab.clearLog(), {}),
  "GET stats": (lab) => lab.stats(),
  "GET settings": (lab) => lab.settings(),
  "PATCH settings": (lab, { body }) => lab.settings(body as object),
  "POST reset": (lab, { body }) => (lab.reset(body as object | undefined), {}),
};

export function createControl(lab: LabControls, cert: string): Control {
  return async (method, target, rawBody) => {
    const [path = "", search] = target.split("?", 2);
    if (method === "GET" && path === "cert") return { status: 200, headers: { "content-type": "text/plain" }, body: cert };
    const slash = path.indexOf("/");
    const call = CALLS[`${method} ${slash === -1 ? path : `${path.slice(0, slash)}/*`}`];
    if (call === undefined) return problem(404, `no such call: ${method} /_lab/${path}; see tests/lab/README.md`);
    try {
      const name = decodeURIComponent(path.slice(slash + 1));
      const body: unknown = rawBody === "" ? undefined : JSON.parse(rawBody);
      const result = await call(lab, { name, query: new URLSearchParams(search), body });
      return json(200, result);
    } catch (error) {
      if (error instanceof InputError) return problem(400, error.message);
      if (error instanceof SyntaxError || error instanceof URIError) return problem(400, `not readable: ${error.message}`);
      throw error;
    }
  };
}

function problem(status: number, detail: string): Answer {
  return json(status, { error: detail });
}

function json(status: number, value: unknown): Answer {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}

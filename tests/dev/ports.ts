// Which ports to listen on. A busy one is found before anything is started, and named together with the
// setting that changes it.

import { createServer } from "node:net";

export const HOST = "127.0.0.1";

export interface Ports {
  worker: number;
  /** The lab over HTTP/1.1. */
  lab: number;
  /** The lab over HTTP/2, always the port after it. */
  labH2: number;
  /** The page for a browser. */
  page: number;
  /** wrangler's debugger; nobody asks for it, but two of them may not meet. */
  inspector: number;
}

/** Said to the user as it is, without a stack. */
export class PortProblem extends Error {}

/** Reads EDGEPUSH_PORT, LAB_PORT and DEMO_PORT; 0 means any free one. */
export async function choosePorts(env: NodeJS.ProcessEnv): Promise<Ports> {
  const worker = await choose("EDGEPUSH_PORT", env["EDGEPUSH_PORT"] ?? "8787", 1);
  const lab = await choose("LAB_PORT", env["LAB_PORT"] ?? "8791", 2);
  const page = await choose("DEMO_PORT", env["DEMO_PORT"] ?? "8795", 1);
  for (const [setting, port] of Object.entries({ EDGEPUSH_PORT: worker, DEMO_PORT: page })) {
    if (port !== lab && port !== lab + 1) continue;
    throw new PortProblem(`${setting}=${port} is one of the lab's two ports; set ${setting} or LAB_PORT`);
  }
  if (page === worker) throw new PortProblem(`DEMO_PORT=${page} is the worker's port; set DEMO_PORT or EDGEPUSH_PORT`);
  return { worker, lab, labH2: lab + 1, page, inspector: await anyFree(1) };
}

async function choose(setting: string, text: string, count: number): Promise<number> {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port + count - 1 > 65_535) {
    throw new PortProblem(`${setting}=${text} is not a port (0 to 65535; 0 = any free one)`);
  }
  if (port === 0) return anyFree(count);
  for (let next = port; next < port + count; next++) {
    if (!(await isFree(next))) {
      throw new PortProblem(
        `Port ${next} is in use. Is another \`make dev\` running? Stop it, or choose another port: ` +
          `make dev ${setting}=${port + 1000}`,
      );
    }
  }
  return port;
}

/** The first of `count` free ports in a row. */
async function anyFree(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = await listen(0);
    if (first === undefined || first + count > 65_535) continue;
    const others = await Promise.all(Array.from({ length: count - 1 }, (_, i) => isFree(first + 1 + i)));
    if (others.every(Boolean)) return first;
  }
  throw new PortProblem(`found no ${count} free ports in a row`);
}

async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

/** Listens for a moment; the port, or undefined if it is taken. */
function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, HOST, () => {
      const address = server.address();
      const got = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(got));
    });
  });
}

// Requests on kept connections, so many at a time.

import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export interface Reply {
  status: number;
  text: string;
}

/** `kept`: over a connection that others use as well; without it over one of its own. */
export function send(method: string, url: string, headers: Record<string, string>, body = "", kept = true): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const asked = request(url, { method, agent: kept ? agent : false, headers: { ...headers, ...length }, timeout: 120_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    asked.on("timeout", () => asked.destroy(new Error(`${method} ${new URL(url).pathname}: no answer`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Does `one` for each of `all`, `most` at a time, begun in their order. The first failure ends it. */
export async function inParallel<T>(all: readonly T[], most: number, one: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) {
      const item = all[next++] as T;
      try {
        await one(item);
      } catch (error) {
        next = all.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, worker));
}

export function closeConnections(): void {
  agent.destroy();
}

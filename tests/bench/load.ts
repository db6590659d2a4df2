// Callers: each has one kept connection and sends its next request when the answer to the last one is in.

import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { Messages } from "./http1.ts";

/** A run may take so long, whatever its count. */
const RUN_MAX_MS = 120_000;

export interface Run {
  seconds: number;
  /** In ms, one per request, sorted. */
  latencies: number[];
}

export interface Request {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** Stands in every good answer. */
  expect: string;
}

export class Callers {
  readonly #sockets: Socket[];
  readonly #port: number;

  private constructor(sockets: Socket[], port: number) {
    this.#sockets = sockets;
    this.#port = port;
  }

  static async open(port: number, count: number): Promise<Callers> {
    const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1").setNoDelay(true));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    return new Callers(sockets, port);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends the request `count` times in all. An answer that is not the expected one ends the run. */
  async run(request: Request, count: number): Promise<Run> {
    const bytes = encode(request, this.#port);
    const latencies: number[] = [];
    const start = performance.now();
    let left = count;
    const caller = (socket: Socket): Promise<void> =>
      new Promise((resolve, reject) => {
        const messages = new Messages();
        let sentAt = 0;
        const timer = setTimeout(() => end(new Error(`no end after ${RUN_MAX_MS / 1000} s`)), RUN_MAX_MS);
        const end = (error?: Error): void => {
          clearTimeout(timer);
          socket.removeAllListeners();
          if (error === undefined) return resolve();
          left = 0;
          reject(error);
        };
        const next = (): void => {
          if (left <= 0) return end();
          left--;
          sentAt = performance.now();
          socket.write(bytes, "latin1");
        };
        // workerd drops a connection that is idle for some seconds: callers are opened for one run each.
        if (socket.destroyed || socket.readableEnded) return end(new Error("a connection was closed before the run"));
        socket.on("error", end);
        socket.on("close", () => end(new Error("the worker closed the connection")));
        socket.on("data", (chunk) =>
          messages.feed(chunk, (head, body) => {
            latencies.push(performance.now() - sentAt);
            if (head.startsWith("HTTP/1.1 200 ") && body.includes(request.expect)) return next();
            end(new Error(`a push was answered with:\n${head}\n\n${body.slice(0, 600)}`));
          }),
        );
        next();
      });
    await Promise.all(this.#sockets.map(caller));
    return { seconds: (performance.now() - start) / 1000, latencies: latencies.sort((a, b) => a - b) };
  }
}

function encode({ path, headers, body }: Request, port: number): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

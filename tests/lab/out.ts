// The way out: one answer, whole or spoiled on purpose, over HTTP/1.1 and HTTP/2 alike.

import type { ServerResponse } from "node:http";
import { constants, type Http2ServerResponse } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./vendors/vendor.ts";

const FLOOD_CHUNK = Buffer.alloc(16_384, "x");
const ignore = (): void => {};

export class Out {
  // node:http2 gives its responses the interface of node:http's; only dropping differs.
  readonly #response: ServerResponse;
  readonly #http2: Http2ServerResponse | undefined;

  constructor(response: ServerResponse | Http2ServerResponse) {
    this.#response = response as ServerResponse;
    this.#http2 = "stream" in response ? response : undefined;
    // A client may leave at any moment, and what is written then ends as an error event; nobody is left to tell.
    response.on("error", ignore);
  }

  /** The client has left. */
  get gone(): boolean {
    return this.#http2 === undefined ? this.#response.destroyed : this.#http2.stream.destroyed;
  }

  onGone(listener: () => void): void {
    this.#response.once("close", listener);
  }

  send(answer: Answer): void {
    const body = answer.body ?? "";
    this.#head(answer, Buffer.byteLength(body));
    this.#response.end(body);
  }

  /** HTTP/1.1: the connection goes. HTTP/2: the stream is reset; the other streams of the connection live on. */
  drop(): void {
    if (this.#http2 === undefined) this.#response.destroy();
    else this.#http2.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** Promises the whole body, sends `bytes` of it, drops. A body that is too short is padded: something must be missing. */
  async cut(answer: Answer, bytes: number): Promise<void> {
    const body = Buffer.from((answer.body ?? "").padEnd(bytes + 1));
    this.#head(answer, body.length);
    this.#response.flushHeaders();
    if (bytes > 0) await this.#write(body.subarray(0, bytes));
    // Let what was written leave before the connection goes.
    await sleep(10);
    this.drop();
  }

  async drip(answer: Answer, everyMs: number, bytes: number): Promise<void> {
    const body = Buffer.from(answer.body ?? "");
    this.#head(answer, body.length);
    this.#response.flushHeaders();
    for (let at = 0; at < body.length && !this.gone; at += bytes) {
      await sleep(everyMs);
      await this.#write(body.subarray(at, at + bytes));
    }
    this.#response.end();
  }

  async flood(bytes: number): Promise<void> {
    const headers = { "content-type": "application/json" };
    this.#response.writeHead(200, bytes < 0 ? headers : { ...headers, "content-length": bytes });
    for (let left = bytes < 0 ? Infinity : bytes; left > 0 && !this.gone; left -= FLOOD_CHUNK.length) {
      await this.#write(left < FLOOD_CHUNK.length ? FLOOD_CHUNK.subarray(0, left) : FLOOD_CHUNK);
    }
    this.#response.end();
  }

  #head(answer: Answer, length: number): void {
    this.#response.writeHead(answer.status, { ...answer.headers, "content-length": length });
  }

  /** Resolves when the bytes are handed over or the client has gone. */
  #write(chunk: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#response.off("close", done);
        resolve();
      };
      this.#response.once("close", done);
      this.#response.write(chunk, done);
    });
  }
}

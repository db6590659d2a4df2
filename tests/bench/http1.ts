// Just enough of HTTP/1.1 for a driver and a mock vendor that cost little beside what they measure: messages on a
// kept connection, with a content-length, in chunks, or without a body.

const HEAD_END = "\r\n\r\n";
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

export type OnMessage = (head: string, body: string) => void;

/** Cuts the bytes of one connection into messages. Texts are latin1: one character is one byte. */
export class Messages {
  #rest = "";

  feed(chunk: Buffer, onMessage: OnMessage): void {
    const text = chunk.toString("latin1");
    this.#rest = this.#rest === "" ? text : this.#rest + text;
    for (;;) {
      const end = this.#rest.indexOf(HEAD_END);
      if (end < 0) return;
      const head = this.#rest.slice(0, end);
      const start = end + HEAD_END.length;
      const length = LENGTH.exec(head);
      const body =
        length === null && CHUNKED.test(head) ? chunks(this.#rest, start) : plain(this.#rest, start, Number(length?.[1] ?? 0));
      if (body === undefined) return;
      this.#rest = this.#rest.slice(body.end);
      onMessage(head, body.text);
    }
  }
}

interface Body {
  text: string;
  /** Where the next message begins. */
  end: number;
}

/** Undefined: not all of it is here yet. */
function plain(text: string, start: number, length: number): Body | undefined {
  const end = start + length;
  return text.length < end ? undefined : { text: text.slice(start, end), end };
}

function chunks(text: string, start: number): Body | undefined {
  let body = "";
  for (let at = start; ; ) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const from = line + 2;
    if (!Number.isSafeInteger(size)) throw new Error(`no chunk size: ${text.slice(at, line)}`);
    if (text.length < from + size + 2) return undefined;
    if (size === 0) return { text: body, end: from + 2 };
    body += text.slice(from, from + size);
    at = from + size + 2;
  }
}

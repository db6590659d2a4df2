// Browsers that are real: a message for a subscription that was not made here goes on to its push service as it came, and
// the service's answer comes back. Only while the setting `webpush_forward` is on.

import type { Answer, LabRequest } from "./vendor.ts";

export type Fetch = typeof fetch;

/** Less than a gateway waits. */
const TIMEOUT = 10_000;
/** Bytes of an answer's body that are given back. */
const MAX_ANSWER = 16_384;
const PASSED_ON = ["ttl", "urgency", "topic", "content-encoding", "content-type", "authorization"];
const GIVEN_BACK = ["location", "retry-after", "content-type", "apns-id"];

/** False where a URL parser would read another path in it, such as one of FCM's own behind `/fcm/send/../`. */
export function isPlain(endpoint: string): boolean {
  return URL.canParse(endpoint) && new URL(endpoint).href === endpoint;
}

/** Sends it once, to this endpoint and nowhere else. */
export async function forward(endpoint: string, request: LabRequest, send: Fetch): Promise<Answer> {
  try {
    const response = await send(endpoint, {
      method: "POST",
      headers: present(PASSED_ON, (name) => request.header(name)),
      body: new Uint8Array(request.bytes),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const headers = present(GIVEN_BACK, (name) => response.headers.get(name) ?? undefined);
    return { status: response.status, headers, body: await beginning(response), reason: "forwarded" };
  } catch (error) {
    return unreachable(request.host, error);
  }
}

function present(names: readonly string[], value: (name: string) => string | undefined): Record<string, string> {
  const found = names.map((name) => [name, value(name)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ANSWER) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString();
}

/** What a proxy would say: a gateway tries again. */
function unreachable(host: string, error: unknown): Answer {
  const late = error instanceof Error && error.name === "TimeoutError";
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = late ? `did not answer within ${TIMEOUT / 1000} s` : `was not reached: ${String(cause)}`;
  const headers = { "content-type": "text/plain" };
  return { status: late ? 504 : 502, headers, body: `lab: ${host} ${why}\n`, reason: "lab_not_forwarded" };
}

// Carrying out a fault.

import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import type { Out } from "./out.ts";
import type { Answer, Vendor } from "./vendors/vendor.ts";

/**
 * Acts out the fault. `settle` is told the status and reason as the client will see them, before the first byte
 * leaves; a request that never gets a status is not settled.
 */
export async function perform(
  fault: Fault,
  vendor: Vendor,
  normal: () => Answer | Promise<Answer>,
  out: Out,
  settle: (answer: Answer) => void,
): Promise<void> {
  const { kind, do: action } = fault;
  if (action["delay_ms"] !== undefined) await sleep(action["delay_ms"] as number);
  if (out.gone) return;
  switch (kind) {
    case "hang":
      return;
    case "close":
      return out.drop();
    case "flood":
      settle({ status: 200 });
      return out.flood(action["flood"] as number);
    case "cut":
    case "drip": {
      const answer = await normal();
      settle(answer);
      if (kind === "cut") return out.cut(answer, action["cut"] as number);
      const { every_ms, bytes } = action["drip"] as { every_ms: number; bytes?: number };
      return out.drip(answer, every_ms, bytes ?? 1);
    }
    case "delay": {
      const answer = await normal();
      settle(answer);
      return answer.status === 0 ? out.drop() : out.send(answer);
    }
    default: {
      const answer = literal(fault, vendor);
      settle(answer);
      return out.send(answer);
    }
  }
}

function literal({ kind, do: action }: Fault, vendor: Vendor): Answer {
  const headers = action["headers"] as Record<string, string> | undefined;
  switch (kind) {
    case "reason": {
      const answer = vendor.refusal(action["reason"] as string) as Answer; // known: checked when the fault was added
      return { ...answer, headers: { ...answer.headers, ...headers } };
    }
    case "html": {
      const title = `${String(action["html"])} Bad Gateway`;
      const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n`;
      return { status: action["html"] as number, headers: { "content-type": "text/html" }, body };
    }
    case "redirect":
      return { status: 302, headers: { location: action["redirect"] as string } };
    case "empty":
      return { status: action["empty"] as number };
    default: {
      const given = action["body"];
      const body = given === undefined || typeof given === "string" ? given : JSON.stringify(given);
      const type = typeof given === "string" ? "text/plain" : "application/json";
      const described = body === undefined ? headers : { "content-type": type, ...headers };
      return { status: action["status"] as number, ...(described && { headers: described }), ...(body && { body }) };
    }
  }
}

// What the vendors saw against what the gateway says, delivery by delivery. The lab's log is the witness.

import type { Stage } from "../worker/stage.ts";

export interface Tally {
  deliveries: number;
  /** Ended as accepted, and seen by the vendor. */
  arrived: number;
  /** Said to be accepted, never seen. */
  lost: number;
  /** Seen by the vendor more than once though no try of it ended without an answer. */
  twice: number;
  /** Seen more than once after a try without an answer: same ids, so that phone and vendor replace. */
  resent: number;
  /** A try ended without an answer, and so did the delivery. */
  unknown: number;
  /** Not come to an end. */
  unresolved: number;
}

/** Requests per delivery, by the id that every one of its tries carries. */
export function requests(stage: Stage): Map<string, number> {
  const seen = new Map<string, number>();
  for (const entry of stage.seen()) {
    const id = entry.vendor === "apns" ? entry.body?.ep_id : entry.body?.message?.data?.ep_id;
    if (typeof id === "string") seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  return seen;
}

/** A delivery's id: the push's, and its number within the push. `pages` are of 100 in a queued push. */
export function tally(stage: Stage, pushes: readonly any[]): Tally {
  const seen = requests(stage);
  const result: Tally = { deliveries: 0, arrived: 0, lost: 0, twice: 0, resent: 0, unknown: 0, unresolved: 0 };
  for (const push of pushes) {
    const mine = [...seen].filter(([id]) => id.startsWith(`${push.id}.`));
    // In a push of one page the n-th delivery has the number n; larger ones are compared as a whole.
    const single = mine.every(([id]) => Number(id.split(".")[1]) < push.deliveries.length);
    push.deliveries.forEach((delivery: any, n: number) => {
      result.deliveries++;
      const times = single ? (seen.get(`${push.id}.${n}`) ?? 0) : 1;
      const silent = delivery.reason === "no_answer" || delivery.trace.some((step: any) => step.reason === "no_answer");
      if (delivery.state === "accepted") result[times > 0 ? "arrived" : "lost"]++;
      if (delivery.state === "unknown") result.unknown++;
      if (["sending", "retrying"].includes(delivery.state)) result.unresolved++;
      const refused = delivery.trace.filter((step: any) => step.step === "retrying" && step.reason !== "no_answer").length;
      if (times > 1 + refused) result[silent ? "resent" : "twice"]++;
    });
  }
  return result;
}

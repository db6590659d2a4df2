// A caller as it should be: it has a key for each push and repeats the request with it until it has an answer.

import type { App, Stage } from "../worker/stage.ts";

export interface Called {
  id: string;
  /** Requests made until the answer came. */
  requests: number;
  answer: any;
  /** The answer was that of an earlier request. */
  replayed: boolean;
}

/** Pushes until it is acknowledged (200 or 202), or throws when `giveUpMs` are over. */
export async function pushUntilAnswered(stage: Stage, app: App, body: object, key: string, giveUpMs = 180_000): Promise<Called> {
  const end = Date.now() + giveUpMs;
  for (let requests = 1; ; requests++) {
    const answer = await stage.push(app, body, { "idempotency-key": key }).catch(() => undefined);
    if (answer !== undefined && (answer.status === 200 || answer.status === 202)) {
      return { id: answer.json.id, requests, answer: answer.json, replayed: answer.headers.get("idempotent-replay") === "true" };
    }
    if (answer !== undefined && answer.status !== 409 && answer.status < 500) throw new Error(`refused: ${answer.status} ${answer.text}`);
    if (Date.now() > end) throw new Error(`no answer within ${giveUpMs} ms: ${answer?.text}`);
    await new Promise((next) => setTimeout(next, answer?.status === 409 ? 1_000 : 250));
  }
}

/** Everything that is known of a push. */
export async function known(stage: Stage, app: App, id: string): Promise<any> {
  let all: any;
  for (let after = ""; ; ) {
    const answer = await stage.ask("GET", `/v1/push/${id}${after}`, app.key);
    if (answer.status !== 200) throw new Error(`GET ${id}: ${answer.status} ${answer.text}`);
    if (all === undefined) all = answer.json;
    else all.deliveries.push(...answer.json.deliveries);
    if (answer.json.next === undefined) return all;
    after = `?after=${encodeURIComponent(answer.json.next)}`;
  }
}

/** Waits until every one of these pushes has come to its end; gives them back. */
export async function ended(stage: Stage, app: App, ids: readonly string[], ms: number): Promise<any[]> {
  const end = Date.now() + ms;
  const done: any[] = [];
  for (const id of ids) {
    for (;;) {
      const push = await known(stage, app, id);
      if (push.percent === 100) {
        done.push(push);
        break;
      }
      if (Date.now() > end) throw new Error(`push ${id} is ${push.status} after ${ms} ms: ${JSON.stringify(push.counts)}`);
      await new Promise((next) => setTimeout(next, 500));
    }
  }
  return done;
}

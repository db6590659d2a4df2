// Phones that change hands again and again while messages go to everybody, and what can be said afterwards of every message
// that arrived.

import { randomBytes } from "node:crypto";
import type { App, Stage } from "./stage.ts";

/** A message that has left is on its way for no longer than this, milliseconds. */
const ON_ITS_WAY_MS = 1_500;

/** A user's registration of a phone: it took effect at some time between the two. */
export interface Attempt {
  phone: string;
  user: string;
  began: number;
  ended: number;
  acknowledged: boolean;
}

export class Moves {
  readonly attempts: Attempt[] = [];
  /** Each phone's token; phones change it now and then. */
  readonly tokens = new Map<string, string>();
  /** Whose each token is or was. */
  readonly phones = new Map<string, string>();
  acknowledged = 0;

  readonly stage: Stage;
  readonly app: App;

  constructor(stage: Stage, app: App, phones: readonly string[]) {
    this.stage = stage;
    this.app = app;
    for (const phone of phones) this.#renew(phone);
  }

  #renew(phone: string): void {
    const token = `${randomBytes(11).toString("hex")}:APA91b${randomBytes(32).toString("base64url")}`;
    this.tokens.set(phone, token);
    this.phones.set(token, phone);
  }

  /** Moves a phone to a user. A call that dies is repeated, as an app does that has no answer, until there is one. */
  async move(phone: string, user: string): Promise<void> {
    if (Math.random() < 0.1) this.#renew(phone);
    const attempt: Attempt = { phone, user, began: Date.now(), ended: Number.POSITIVE_INFINITY, acknowledged: false };
    this.attempts.push(attempt);
    const body = { platform: "android", vendor: "fcm", token: this.tokens.get(phone) };
    for (;;) {
      const answer = await this.stage.ask("PUT", `/v1/users/${user}/devices/${phone}`, this.app.key, body).catch(() => undefined);
      if (answer === undefined || answer.status >= 500) {
        await new Promise((next) => setTimeout(next, 100));
        continue;
      }
      // 409: another user was quicker, and it is known that this one is over.
      if (answer.status > 201 && answer.status !== 409) throw new Error(`${answer.status} ${answer.text}`);
      attempt.ended = Date.now();
      attempt.acknowledged = answer.status !== 409;
      if (attempt.acknowledged) this.acknowledged += 1;
      return;
    }
  }

  /** Messages that reached a phone although it had changed hands for certain before they can have left. */
  strayed(): string[] {
    const wrong: string[] = [];
    for (const seen of this.stage.seen("fcm")) {
      const { token, data } = seen.body.message;
      const phone = this.phones.get(token);
      if (phone === undefined || data?.for === undefined) continue;
      const arrived = Date.parse(seen.at);
      if (!this.#mayHold(phone, data.for, arrived)) wrong.push(`${data.for} at ${phone}, arrived ${arrived}`);
    }
    return wrong;
  }

  /** Whether some order of the attempts that fits what was seen lets the user hold the phone when the message left. */
  #mayHold(phone: string, user: string, arrived: number): boolean {
    const of = this.attempts.filter((attempt) => attempt.phone === phone);
    const own = of.filter((attempt) => attempt.user === user && attempt.began <= arrived);
    const lastWord = Math.max(...own.map((attempt) => attempt.ended));
    const left = arrived - ON_ITS_WAY_MS;
    const taken = of.some((other) => other.user !== user && other.acknowledged && other.began > lastWord && other.ended < left);
    return own.length > 0 && !taken;
  }
}

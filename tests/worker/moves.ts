// Phones that change hands again and again while messages go to everybody, and what can be said afterwards of every message
// that arrived.

import { randomBytes } from "node:crypto";
import type { App, Stage } from "./stage.ts";

/** A user's registration of a phone: it took effect at some time between the two, or, if it was not acknowledged, at any time after. */
export interface Attempt {
  phone: string;
  user: string;
  began: number;
  ended: number;
  acknowledged: boolean;
}

export class Moves {
  readonly attempts: Attempt[] = [];
  readonly tokens = new Map<string, string>();
  acknowledged = 0;

  readonly stage: Stage;
  readonly app: App;

  constructor(stage: Stage, app: App, phones: readonly string[]) {
    this.stage = stage;
    this.app = app;
    for (const phone of phones) this.tokens.set(phone, `${randomBytes(11).toString("hex")}:APA91b${randomBytes(32).toString("base64url")}`);
  }

  /** Moves a phone to a user; a call that dies counts too. */
  async move(phone: string, user: string): Promise<void> {
    const attempt: Attempt = { phone, user, began: Date.now(), ended: Number.POSITIVE_INFINITY, acknowledged: false };
    this.attempts.push(attempt);
    const body = { platform: "android", vendor: "fcm", token: this.tokens.get(phone) };
    const answer = await this.stage.ask("PUT", `/v1/users/${user}/devices/${phone}`, this.app.key, body).catch(() => undefined);
    if (answer === undefined || answer.status >= 500) return;
    // 409: another user was quicker, and it is known that this one is over.
    if (answer.status > 201 && answer.status !== 409) throw new Error(`${answer.status} ${answer.text}`);
    attempt.ended = Date.now();
    attempt.acknowledged = answer.status !== 409;
    if (attempt.acknowledged) this.acknowledged += 1;
  }

  /** Messages that reached a phone although it had changed hands for certain before they were asked for. */
  strayed(): string[] {
    const phones = new Map([...this.tokens].map(([phone, token]) => [token, phone]));
    const wrong: string[] = [];
    for (const seen of this.stage.seen("fcm")) {
      const { token, data } = seen.body.message;
      const phone = phones.get(token);
      if (phone === undefined || data?.for === undefined) continue;
      const [asked, arrived] = [Number(data.asked), Date.parse(seen.at)];
      if (!this.#mayHold(phone, data.for, asked, arrived)) wrong.push(`${data.for} at ${phone}, asked ${asked}, arrived ${arrived}`);
    }
    return wrong;
  }

  /** Whether some order of the attempts that fits what was seen lets the user hold the phone between the two times. */
  #mayHold(phone: string, user: string, asked: number, arrived: number): boolean {
    const of = this.attempts.filter((attempt) => attempt.phone === phone);
    const own = of.filter((attempt) => attempt.user === user && attempt.began <= arrived);
    const lastWord = Math.max(...own.map((attempt) => attempt.ended));
    const taken = of.some((other) => other.user !== user && other.acknowledged && other.began > lastWord && other.ended < asked);
    return own.length > 0 && !taken;
  }
}

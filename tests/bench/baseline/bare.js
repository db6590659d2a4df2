// The bare Worker: for a push it does the I/O that ours does (the same fetches, KV read, object call and row writes)
// and nothing else. No authentication, no checks, no ids, no payload: headers and body are fixed texts, taken from a
// request that ours has made.

import { DurableObject, env } from "cloudflare:workers";

const PLANS = JSON.parse(env.PLANS);

export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response("alive");
    const push = await request.json();
    const user = push.to.users[0];
    const plan = PLANS[user];
    // As src/wire/user/copy.rs writes it: a device is [id, platform, vendor, token, …].
    const [devices] = JSON.parse(await env.DEVICES.get(plan.key));
    const key = crypto.randomUUID();
    const begun = ledger(env, key, { begin: { key, record: plan.record.repeat(devices.length), work: plan.work } });
    const admitted = plan.account === undefined ? undefined : admit(env, plan, devices.length);
    await Promise.all([begun, admitted]);
    let next = 0;
    const sender = async () => {
      while (next < devices.length) {
        const device = devices[next++];
        const url = plan.token_in_url ? plan.url + device[3] : plan.url;
        const answer = await fetch(url, { method: "POST", headers: plan.headers, body: plan.body });
        await answer.text();
      }
    };
    if (devices.length === 1) await sender();
    else await Promise.all(Array.from({ length: Math.min(6, devices.length) }, sender));
    await ledger(env, key, { settle: { key, record: plan.record.repeat(devices.length) } });
    const deliveries = devices.map(([id, , vendor]) => ({ user, device: id, vendor, state: "accepted" }));
    return Response.json({ status: "done", counts: { accepted: devices.length }, deliveries });
  },
};

/** Ours spreads an app's pushes over as many ledgers. */
const SHARDS = 4;

async function ledger(env, key, call) {
  const shard = parseInt(key.slice(0, 4), 16) % SHARDS;
  JSON.parse(await env.LEDGER.getByName(`ledger:${shard}`).call(JSON.stringify(call)));
}

async function admit(env, plan, n) {
  const call = JSON.stringify({
    app: "limited",
    generation: 1,
    vendor: "fcm",
    call: { admit: { category: "order", n, limit: plan.limit, bearer: false, refused: null, revision: 1 } },
  });
  const { granted } = JSON.parse(await env.ACCOUNT.getByName(plan.account).call(call));
  if (granted !== n) throw new Error("not granted");
}

/** Two rows for a push, an alarm in a minute: see src/edge/objects/ledger/store.rs. */
export class Ledger extends DurableObject {
  #alarm = false;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS page (key TEXT PRIMARY KEY, due INTEGER, hour INTEGER, counts TEXT, record TEXT, work TEXT) WITHOUT ROWID",
    );
  }

  async call(text) {
    const { begin, settle } = JSON.parse(text);
    const now = Date.now();
    const { sql } = this.ctx.storage;
    let rows = 0;
    if (begin !== undefined) {
      const values = [now + 60_000, Math.floor(now / 3_600_000), COUNTS, begin.record, begin.work, begin.key];
      rows = sql.exec("INSERT OR REPLACE INTO page (due, hour, counts, record, work, key) VALUES (?, ?, ?, ?, ?, ?)", ...values).rowsWritten;
      if (!this.#alarm) {
        this.#alarm = true;
        rows++;
        await this.ctx.storage.setAlarm(now + 60_000);
      }
    } else {
      const values = [null, Math.floor(now / 3_600_000), COUNTS, settle.record, settle.key];
      rows = sql.exec("UPDATE page SET due = ?, hour = ?, counts = ?, record = ?, work = NULL WHERE key = ?", ...values).rowsWritten;
    }
    return JSON.stringify({ outcome: "done", rows });
  }

  alarm() {
    this.#alarm = false;
  }
}

/** As long as what ours counts of a push. */
const COUNTS = JSON.stringify([{ kind: { c: "order", v: "apns", p: "ios", s: "accepted", l: true }, n: 1 }]);

/** Counts in memory and writes a mark that runs ahead, at the same cadence as ours: see src/object/quota.rs. */
export class Account extends DurableObject {
  #day = Math.floor(Date.now() / 86_400_000);
  #granted = 0;
  #marked = 0;
  #block = 1;
  #markedAt = 0;
  #trimming = false;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS mark (category TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID");
  }

  async call(text) {
    const ask = JSON.parse(text);
    const { category, n, limit } = ask.call.admit;
    const now = Date.now();
    let rows = 0;
    const granted = Math.min(n, limit - this.#granted);
    this.#granted += granted;
    if (this.#granted > this.#marked) {
      const most = Math.min(Math.max(Math.floor(limit / 100), 1), 1_000);
      this.#block = now - this.#markedAt < 1_000 ? Math.min(this.#block * 2, most) : 1;
      this.#marked = Math.min(this.#granted + this.#block - 1, limit);
      this.#markedAt = now;
      rows += this.#write(category);
    }
    if (this.#marked > this.#granted && !this.#trimming) {
      this.#trimming = true;
      rows += 1;
      await this.ctx.storage.setAlarm(now + 5_000);
    }
    return JSON.stringify({ granted, resets_at: (this.#day + 1) * 86_400_000, bearer: null, rows });
  }

  alarm() {
    this.#trimming = false;
    if (this.#marked <= this.#granted) return;
    this.#marked = this.#granted;
    this.#block = 1;
    this.#write("order");
  }

  #write(category) {
    const record = JSON.stringify([category, { day: this.#day, used: this.#marked }]);
    return this.ctx.storage.sql.exec("INSERT OR REPLACE INTO mark (category, record) VALUES (?, ?)", category, record).rowsWritten;
  }
}

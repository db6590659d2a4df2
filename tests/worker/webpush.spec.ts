// Browsers: a subscription in, an encrypted message out. The lab verifies the VAPID token with jose and reads the body
// with http_ece, so nothing of ours is on the other side.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startLab } from "../lab/lab.ts";
import type { Subscription, WebpushCredentials } from "../lab/vendors/webpush_browsers.ts";
import { SERVICES } from "../lab/vendors/webpush_answers.ts";
import { ADMIN_KEY, Stage, copyOf, until, type App } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { WEBPUSH_HOSTS: "push.example.org" } });
});
after(() => stage.stop());

async function browsersApp(on: Stage = stage): Promise<App & { vapid: WebpushCredentials }> {
  const app = await on.app();
  const vapid = await on.lab.makeWebpush();
  await on.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { webpush: vapid } });
  return { ...app, vapid };
}

function register(app: App, user: string, device: string, token: unknown, on: Stage = stage): Promise<any> {
  return on.device(app, user, device, { platform: "web", vendor: "webpush", token });
}

test("one push reaches a browser of each maker, beside a phone", async () => {
  const app = await browsersApp();
  for (const service of SERVICES) {
    const to = stage.lab.subscribe({ service, public_key: app.vapid.public_key });
    // As an object and as a text.
    await register(app, "u42", service, service === "google" ? JSON.stringify(to) : to);
  }
  await stage.android(app, "u42", "pixel");
  stage.lab.clearLog();
  const answer = await stage.push(app, {
    to: { users: ["u42"] },
    category: "order",
    notification: { title: "Sent", body: "Größe: 👨‍👩‍👧‍👦", link: "https://shop.example/order/4711", badge: 3 },
    data: { order: "4711" },
    collapse: "order-4711",
    ttl: 3600,
  });
  assert.deepEqual(answer.json.counts, { accepted: 5 }, answer.text);
  const { id, deliveries } = answer.json;
  const seen = stage.seen("webpush");
  assert.equal(seen.length, 4);
  for (const entry of seen) {
    const { headers, body } = entry;
    assert.deepEqual([headers.ttl, headers.urgency, headers["content-encoding"]], ["3600", "high", "aes128gcm"]);
    assert.match(headers.topic, /^[A-Za-z0-9_-]{32}$/);
    assert.equal(headers.authorization.k, app.vapid.public_key);
    assert.equal(headers.authorization.claims.aud, `https://${entry.host}`);
    assert.equal(headers.authorization.claims.sub, "mailto:push@example.com");
    const n = deliveries.findIndex((delivery: any) => `${id}.${deliveries.indexOf(delivery)}` === body.notification.data.ep_id);
    assert.deepEqual(body, {
      app_badge: 3,
      notification: {
        title: "Sent",
        body: "Größe: 👨‍👩‍👧‍👦",
        navigate: "https://shop.example/order/4711",
        tag: "order-4711",
        data: {
          order: "4711",
          ep_id: `${id}.${n}`,
          ep_guard: "account",
          ep_link: "https://shop.example/order/4711",
          ep_skip_splash: "1",
        },
      },
    });
  }
  assert.equal(new Set(seen.map((entry) => entry.body.notification.data.ep_id)).size, 4);
  const vendorId = (device: string) => deliveries.find((delivery: any) => delivery.device === device).vendor_id;
  assert.match(vendorId("google"), /^0:\d+%[0-9a-f]{16}$/);
  assert.match(vendorId("mozilla"), /^gAAAAAB/);
  assert.match(vendorId("apple"), /^[0-9A-F-]{36}$/);
  assert.equal(vendorId("microsoft"), undefined);
});

test("two runtimes sign the byte-identical token for a service, and another one for another service", async () => {
  const lab = await startLab();
  const [one, other] = await Promise.all([Stage.start({ lab }), Stage.start({ lab })]);
  try {
    const vapid = await lab.makeWebpush();
    const left = 21_600 - ((Date.now() / 1000) % 21_600);
    if (left < 20) await new Promise((next) => setTimeout(next, left * 1000 + 100));
    for (const runtime of [one, other]) {
      const app = await runtime.app();
      await runtime.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { webpush: vapid } });
      await register(app, "u", "firefox", lab.subscribe({ service: "mozilla" }), runtime);
      await register(app, "u", "safari", lab.subscribe({ service: "apple" }), runtime);
      for (let n = 0; n < 2; n++) {
        assert.deepEqual((await runtime.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 2 });
      }
    }
    const tokens = (host: string) =>
      new Set(lab.log({ vendor: "webpush" }).filter((entry) => entry.host.includes(host)).map((entry: any) => entry.headers.authorization.sha256));
    assert.deepEqual([tokens("mozilla").size, tokens("apple").size], [1, 1]);
    assert.notDeepEqual(tokens("mozilla"), tokens("apple"));
    const { claims } = (lab.log({ vendor: "webpush" })[0] as any).headers.authorization;
    assert.equal(claims.exp % 21_600, 0);
    const hours = (claims.exp - Date.now() / 1000) / 3600;
    assert.ok(hours > 11.9 && hours <= 18, `ends in ${hours} hours`);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
    await lab.close();
  }
});

test("an endpoint that leads elsewhere is refused at registration and in a push, and never fetched", async () => {
  const app = await browsersApp();
  const good = stage.lab.subscribe();
  const before = stage.seen().length;
  for (const endpoint of [
    "https://127.0.0.1/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://web.push.apple.com.evil.example/x",
    "https://api.push.apple.com/3/device/00",
    "https://fcm.googleapis.com/v1/projects/p/messages:send",
    "http://updates.push.services.mozilla.com/wpush/v2/x",
  ]) {
    const token = { ...good, endpoint };
    const device = await stage.ask("PUT", "/v1/users/u/devices/d", app.key, { platform: "web", vendor: "webpush", token });
    assert.deepEqual([device.status, device.json.code], [400, "invalid_token"], endpoint);
    assert.match(device.json.pointer, /^\/token/);
    assert.ok(!device.text.includes("127.0.0.1") && !device.text.includes("/x"), device.text);
    const push = await stage.push(app, { to: { tokens: [{ vendor: "webpush", token }] } });
    assert.deepEqual([push.status, push.json.code], [400, "invalid_token"], endpoint);
    assert.match(push.json.pointer, /^\/to\/tokens\/0\/token/);
  }
  assert.equal(stage.seen().length, before);
});

test("the operator's own push service is one more host, for as long as the setting names it", async () => {
  const app = await browsersApp();
  const own: Subscription = { ...stage.lab.subscribe(), endpoint: "https://push.example.org/up?id=1" };
  await register(app, "u", "own", own);
  await stage.push(app, { to: { users: ["u"] }, ttl: 0 });
  // The lab plays no such host, but the request did leave for it.
  assert.match(stage.seen().at(-1).path, /^\/push\.example\.org\/up$/);
  const without = await Stage.start({ lab: stage.lab });
  try {
    const other = await browsersApp(without);
    const refused = await without.ask("PUT", "/v1/users/u/devices/d", other.key, { platform: "web", vendor: "webpush", token: own });
    assert.equal(refused.json.code, "invalid_token");
    // On file from a time when it was allowed.
    const kv = await without.kv("DEVICES");
    const { p256dh, auth } = own.keys;
    const token = JSON.stringify({ endpoint: own.endpoint, keys: { auth, p256dh } });
    await kv.put(`user:${other.id}.1:old`, copyOf([["d", "web", "webpush", token, null, null, "granted", null, "alert"]]));
    const skipped = (await without.push(other, { to: { users: ["old"] } })).json.deliveries[0];
    assert.deepEqual([skipped.state, skipped.reason], ["skipped", "no_credentials"]);
    assert.match(skipped.detail, /WEBPUSH_HOSTS/);
  } finally {
    await without.stop();
  }
});

test("a brand-new subscription outlives its first 410, a raw one is told of it", async () => {
  const app = await browsersApp();
  const to = stage.lab.subscribe({ service: "google" });
  await register(app, "u", "chrome", to);
  stage.lab.token("webpush", to.endpoint, { state: "gone" });
  const [delivery] = (await stage.push(app, { to: { users: ["u"] } })).json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["failed", "token_gone"]);
  assert.equal(delivery.detail, "HTTP 410: push subscription has unsubscribed or expired.");
  const suspect = await until(async () => {
    const [device] = (await stage.ask("GET", "/v1/users/u", app.key)).json.devices;
    return device?.suspect_since as string | undefined;
  });
  assert.ok(suspect);
  const [raw] = (await stage.push(app, { to: { tokens: [{ vendor: "webpush", token: to }] } })).json.deliveries;
  assert.deepEqual([raw.state, raw.reason, raw.target], ["failed", "token_gone", "/to/tokens/0"]);
});

test("a service that is busy is tried again, encrypted anew, under the same id", async () => {
  const app = await browsersApp();
  const to = stage.lab.subscribe({ service: "mozilla" });
  await register(app, "u", "firefox", to);
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "webpush", match: { token: to.endpoint }, do: { status: 503, headers: { "retry-after": "1" }, body: "" } });
  const answer = await stage.push(app, { to: { users: ["u"] }, category: "im" });
  assert.deepEqual(answer.json.counts, { retrying: 1 }, answer.text);
  const second = await until(() => stage.seen("webpush").find((entry) => entry.status === 201), 20_000);
  const [first] = stage.seen("webpush");
  assert.equal(second.body.notification.data.ep_id, `${answer.json.id}.0`);
  assert.equal(second.headers.topic, first.headers.topic);
  assert.equal(second.headers.authorization.sha256, first.headers.authorization.sha256);
});

test("explain shows the payload in the open, and neither endpoint nor token", async () => {
  const app = await browsersApp();
  const to = stage.lab.subscribe({ service: "apple" });
  await register(app, "u", "safari", to);
  const before = stage.seen().length;
  const answer = await stage.ask("POST", "/v1/push:explain", app.key, { to: { users: ["u"] }, notification: { title: "Sent" } });
  const [{ request }] = answer.json.deliveries;
  assert.equal(request.url, "https://web.push.apple.com/hidden");
  assert.equal(request.headers.authorization, `vapid t=hidden, k=${app.vapid.public_key}`);
  assert.equal(request.body.notification.title, "Sent");
  for (const secret of [to.endpoint.split("/").at(-1) as string, to.keys.auth, "eyJ"]) assert.ok(!answer.text.includes(secret));
  assert.equal(stage.seen().length, before);
});

test("a subscription made with another key is said to be dead, and the words tell why", async () => {
  const app = await browsersApp();
  const other = await stage.lab.makeWebpush();
  await register(app, "u", "edge", stage.lab.subscribe({ service: "google", public_key: other.public_key }));
  const [delivery] = (await stage.push(app, { to: { users: ["u"] } })).json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["failed", "token_gone"]);
  assert.match(delivery.detail, /do not correspond to the credentials/);
  assert.deepEqual(await stage.devices(app, "u"), ["edge"], "nothing vouches for our key: it stays");
});

test("a message of 3,993 bytes, its id counted as long as one may be, goes whole; of one more the text is cut, or nothing is sent", async () => {
  const app = await browsersApp();
  await register(app, "u", "firefox", stage.lab.subscribe({ service: "mozilla" }));
  const send = async (message: object) => {
    stage.lab.clearLog();
    const answer = await stage.push(app, { to: { users: ["u"] }, ...message });
    return { delivery: answer.json.deliveries[0], seen: stage.seen("webpush")[0] };
  };
  const size = (seen: any): number => Buffer.byteLength(JSON.stringify(seen.body));
  const text = (length: number) => ({ notification: { title: "Sent", body: "x".repeat(length) } });
  const data = (length: number) => ({ notification: undefined, data: { d: "x".repeat(length) } });
  for (const [form, cut] of [[text, true], [data, false]] as const) {
    const { seen } = await send(form(1));
    // Each place of the id is counted with a number of eight digits; that of the first delivery is 0.
    const spare = 7 * (JSON.stringify(seen.body).match(/\.0"/g) ?? []).length;
    const room = 3993 - spare - size(seen) + 1;
    const whole = await send(form(room));
    assert.deepEqual([whole.delivery.state, whole.delivery.shortened ?? false], ["accepted", false], whole.delivery.detail);
    assert.deepEqual([size(whole.seen), whole.seen.headers["content-length"]], [3993 - spare, String(4096 - spare)]);
    const more = await send(form(room + 1));
    assert.deepEqual([more.delivery.state, more.delivery.reason], cut ? ["accepted", undefined] : ["skipped", "too_large"]);
    assert.equal(more.seen === undefined, !cut);
    if (cut) assert.ok(more.delivery.shortened && size(more.seen) <= 3993 - spare && more.seen.body.notification.body.endsWith("…"));
  }
});

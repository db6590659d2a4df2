// The main job: one push, from the caller to the vendor's door and back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

test("one push reaches an iPhone and an Android phone", async () => {
  const app = await stage.app();
  const apns = await stage.iphone(app, "u42");
  const fcm = await stage.android(app, "u42");
  const answer = await stage.push(app, {
    to: { users: ["u42"] },
    category: "order",
    notification: { title: "Sent", body: "Your parcel has left", link: "app://order/4711", badge: 3 },
    data: { order: "4711" },
    collapse: "order-4711",
    ttl: 3600,
  });
  assert.equal(answer.status, 200, answer.text);
  const { id, status, counts, deliveries } = answer.json;
  assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(status, "done");
  assert.deepEqual(counts, { accepted: 2 });
  assert.deepEqual(
    deliveries.map((d: any) => [d.user, d.device, d.vendor, d.state]),
    [
      ["u42", "u42-android", "fcm", "accepted"],
      ["u42", "u42-iphone", "apns", "accepted"],
    ],
  );

  const apple = stage.seen("apns").find((entry) => entry.path.endsWith(apns));
  assert.equal(apple.host, "api.push.apple.com");
  assert.equal(apple.headers["apns-topic"], app.topic);
  assert.equal(apple.headers["apns-push-type"], "alert");
  assert.equal(apple.headers["apns-priority"], "10");
  assert.equal(apple.headers["apns-collapse-id"], "order-4711");
  assert.equal(apple.headers["apns-id"], deliveries[1].vendor_id);
  const left = Number(apple.headers["apns-expiration"]) - Date.now() / 1000;
  assert.ok(left > 3590 && left < 3605, `expires in ${left} s`);
  assert.deepEqual(apple.body.aps.alert, { title: "Sent", body: "Your parcel has left" });
  assert.equal(apple.body.aps.badge, 3);
  assert.equal(apple.body.aps["interruption-level"], "active");
  assert.equal(apple.body.order, "4711");
  assert.equal(apple.body.ep_link, "app://order/4711");
  assert.equal(apple.body.ep_guard, "account");
  assert.equal(apple.body.ep_id, `${id}.1`);

  const google = stage.seen("fcm").find((entry) => entry.body?.message?.token === fcm).body.message;
  assert.equal(google.android.priority, "HIGH");
  assert.equal(google.android.ttl, "3600s");
  assert.equal(google.android.notification.channel_id, "order");
  assert.equal(google.android.notification.tag, "order-4711");
  assert.equal(google.fcm_options.analytics_label, "order");
  assert.deepEqual(google.data, {
    order: "4711",
    ep_id: `${id}.0`,
    ep_guard: "account",
    ep_link: "app://order/4711",
    ep_skip_splash: "1",
  });
});

test("each category has its class, and no category is marketing", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  const classes: Record<string, unknown[]> = {};
  for (const category of ["im", "order", "follow", "marketing", undefined]) {
    stage.lab.clearLog();
    const answer = await stage.push(app, { to: { users: ["u"] }, ...(category ? { category } : {}) });
    assert.deepEqual(answer.json.counts, { accepted: 2 });
    const [apple] = stage.seen("apns");
    const google = stage.seen("fcm").find((entry) => entry.body?.message).body.message;
    classes[category ?? "none"] = [
      apple.headers["apns-priority"],
      apple.body.aps["interruption-level"],
      apple.body.aps["relevance-score"],
      google.android.priority,
      google.android.notification.channel_id,
      google.android.ttl,
    ];
  }
  assert.deepEqual(classes, {
    im: ["10", "active", 1, "HIGH", "im", "604800s"],
    order: ["10", "active", 0.8, "HIGH", "order", "259200s"],
    follow: ["5", "passive", 0.4, "NORMAL", "follow", "86400s"],
    marketing: ["5", "passive", 0.1, "NORMAL", "marketing", "86400s"],
    none: ["5", "passive", 0.1, "NORMAL", "marketing", "86400s"],
  });
});

test("options are merged last, and headers follow the final payload", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  stage.lab.clearLog();
  await stage.push(app, {
    to: { users: ["u"] },
    category: "order",
    options: {
      apns: { aps: { "interruption-level": "time-sensitive", alert: { subtitle: "Parcel" } }, headers: { "apns-priority": "5" } },
      fcm: { android: { notification: { channel_id: "parcels" } } },
    },
  });
  const [apple] = stage.seen("apns");
  assert.equal(apple.body.aps["interruption-level"], "time-sensitive");
  assert.equal(apple.body.aps.alert.subtitle, "Parcel");
  assert.equal(apple.body.aps.alert.title, "Sent");
  assert.equal(apple.headers["apns-priority"], "5");
  const google = stage.seen("fcm").find((entry) => entry.body?.message).body.message;
  assert.equal(google.android.notification.channel_id, "parcels");
  assert.equal(google.android.notification.visibility, "PRIVATE");
});

test("without a notification it is a background push", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  stage.lab.clearLog();
  const answer = await stage.ask("POST", "/v1/push", app.key, { to: { users: ["u"] }, category: "im", data: { sync: "1" } });
  assert.deepEqual(answer.json.counts, { accepted: 2 });
  const [apple] = stage.seen("apns");
  assert.equal(apple.headers["apns-push-type"], "background");
  assert.equal(apple.headers["apns-priority"], "5");
  assert.deepEqual(apple.body.aps, { "content-available": 1 });
  const google = stage.seen("fcm").find((entry) => entry.body?.message).body.message;
  assert.equal(google.notification, undefined);
  assert.equal(google.data.sync, "1");
});

test("devices and raw tokens can be named, and nobody is reached twice", async () => {
  const app = await stage.app();
  const token = await stage.iphone(app, "u");
  await stage.android(app, "u");
  stage.lab.clearLog();
  const answer = await stage.push(app, {
    to: {
      users: ["u", "u", "nobody"],
      devices: [
        { user: "u", device: "u-iphone" },
        { user: "u", device: "lost" },
      ],
      tokens: [{ vendor: "apns", token: token.toUpperCase() }, { vendor: "fcm", token: "raw-token:1" }],
    },
  });
  assert.deepEqual(
    answer.json.deliveries.map((d: any) => [d.device ?? d.target ?? d.user, d.state, d.reason]),
    [
      ["u-android", "accepted", undefined],
      ["u-iphone", "accepted", undefined],
      ["nobody", "skipped", "no_device"],
      ["lost", "skipped", "no_device"],
      ["/to/tokens/0", "skipped", "duplicate"],
      ["/to/tokens/1", "accepted", undefined],
    ],
  );
  assert.deepEqual(answer.json.counts, { accepted: 3, skipped: 3 });
  assert.equal(stage.seen("apns").length, 1);
});

test("a device with notifications switched off is skipped before any call", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u", "u-iphone", { permission: "denied" });
  stage.lab.clearLog();
  const answer = await stage.push(app, { to: { users: ["u"] }, category: "im" });
  assert.equal(answer.json.deliveries[0].reason, "permission_off");
  assert.equal(stage.seen("apns").length, 0);
});

test("a vendor without a credential is skipped and says what to do", async () => {
  const app = await stage.app();
  await stage.admin("PUT", `/v1/apps/${app.id}`, { credentials: { fcm: null } });
  await stage.android(app, "u");
  const [delivery] = (await stage.push(app, { to: { users: ["u"] } })).json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["skipped", "no_credentials"]);
  assert.match(delivery.detail, /credentials\.fcm/);
});

test("a body that is too long is shortened on a grapheme boundary, and what cannot fit is too_large", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  stage.lab.clearLog();
  const family = "👨‍👩‍👧‍👦";
  const long = await stage.push(app, { to: { users: ["u"] }, notification: { title: "t", body: family.repeat(300) } });
  assert.deepEqual(long.json.counts, { accepted: 2 });
  assert.deepEqual(long.json.deliveries.map((d: any) => d.shortened), [true, true]);
  const apple = stage.seen("apns")[0].body.aps.alert.body;
  const google = stage.seen("fcm").find((entry) => entry.body?.message).body.message.notification.body;
  for (const body of [apple, google]) {
    assert.ok(body.endsWith("…"));
    assert.equal(body.slice(0, -1).replaceAll(family, ""), "", "whole families only");
    assert.ok(body.length > 1000, "as long as it can be");
  }
  const data = { blob: "x".repeat(4096) };
  const over = await stage.push(app, { to: { users: ["u"] }, data });
  assert.deepEqual(over.json.deliveries.map((d: any) => [d.state, d.reason]), [
    ["skipped", "too_large"],
    ["skipped", "too_large"],
  ]);
});

test("50 devices are waited for, 51 are queued", async () => {
  const app = await stage.app();
  await Promise.all(Array.from({ length: 51 }, (_, n) => stage.iphone(app, `u${n}`)));
  const users = (n: number) => Array.from({ length: n }, (_, at) => `u${at}`);
  stage.lab.clearLog();
  const fifty = await stage.push(app, { to: { users: users(50) } });
  assert.deepEqual(fifty.json.counts, { accepted: 50 });
  stage.lab.clearLog();
  const over = await stage.push(app, { to: { users: users(51) } });
  assert.deepEqual([over.status, over.json.counts], [202, { queued: 51 }]);
  await stage.android(app, "u0");
  const found = await stage.push(app, { to: { users: users(50) } });
  assert.deepEqual([found.status, found.json.counts], [202, { queued: 50 }], "51 devices of 50 users");
  await until(() => (stage.seen("fcm").some((seen) => seen.body?.message) && stage.seen("apns").length === 101 ? true : undefined));
});

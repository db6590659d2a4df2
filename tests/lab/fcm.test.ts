import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { accessToken, h2, post, type Reply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { FcmCredentials } from "./vendors/google_accounts.ts";

const PHONE = "cX1y:APA91bH-x_y";
const FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";

interface GoogleError {
  code: number;
  message: string;
  status: string;
  details?: { "@type": string; errorCode?: string; fieldViolations?: { field?: string; description: string }[] }[];
}

let lab: Lab;
let operator: FcmCredentials;
let access: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeFcm({ project_id: "parcels" });
});
after(() => lab.close());
beforeEach(async () => {
  lab.reset();
  access = await accessToken(lab, operator);
});

function sendBody(body: unknown, project = "parcels", authorization: string | null = `Bearer ${access}`): Promise<Reply> {
  return post(`${lab.url}/fcm.googleapis.com/v1/projects/${project}/messages:send`, {
    headers: { "content-type": "application/json", ...(authorization === null ? {} : { authorization }) },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

function send(message: object): Promise<Reply> {
  return sendBody({ message: { token: PHONE, ...message } });
}

function errorOf(reply: Reply): GoogleError {
  const { error } = JSON.parse(reply.text) as { error: GoogleError };
  assert.equal(error.code, reply.status);
  return error;
}

const fcmCode = (error: GoogleError): string | undefined =>
  error.details?.find((detail) => detail["@type"] === FCM_ERROR)?.errorCode;
const violation = (error: GoogleError): { field?: string; description: string } | undefined =>
  error.details?.find((detail) => detail["@type"] === BAD_REQUEST)?.fieldViolations?.[0];

test("a good message gets a name of its own", async () => {
  const first = await send({ notification: { title: "Sent", body: "Your parcel has left" }, data: { order: "4711" } });
  const second = await send({});
  for (const reply of [first, second]) {
    assert.equal(reply.status, 200);
    assert.match(reply.text, /^\{\n {2}"name": "projects\/parcels\/messages\/0:\d{16}%[0-9a-f]{16}"\n\}\n$/);
  }
  assert.notEqual(first.text, second.text);
});

test("everything the reference names is taken, in both spellings", async () => {
  const message = {
    fcm_options: { analytics_label: "order" },
    android: {
      collapse_key: "o", priority: "high", ttl: "3600.5s", restricted_package_name: "com.example", direct_boot_ok: true,
      notification: {
        channel_id: "order", color: "#ff8800", notification_priority: "PRIORITY_HIGH", visibility: "PRIVATE", proxy: "DENY",
        event_time: "2026-10-02T15:01:23Z", vibrate_timings: ["0.5s"], notification_count: 3, body_loc_args: ["a"],
        light_settings: { color: { red: 0.5 }, light_on_duration: "1s", light_off_duration: "1s" },
      },
    },
    apns: { headers: { "apns-priority": "5" }, payload: { aps: { badge: 1 } }, fcm_options: { image: "https://example.com/i" } },
    webpush: { headers: { TTL: "60" }, data: { a: "b" }, notification: { title: "t", renotify: true }, fcm_options: { link: "https://example.com" } },
  };
  const camel = JSON.parse(JSON.stringify(message).replace(/"([a-z]+_[a-z_]+)":/g, (name) => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase()))) as object;
  assert.ok("fcmOptions" in camel);
  for (const form of [message, camel]) assert.equal((await send(form)).text.includes("projects/parcels"), true);
});

test("validate_only checks and delivers nothing", async () => {
  const reply = await sendBody({ validate_only: true, message: { token: PHONE } });
  assert.match(reply.text, /messages\/fake_message_id/);
  lab.token("fcm", PHONE, { state: "unregistered" });
  assert.equal((await sendBody({ validateOnly: true, message: { token: PHONE } })).status, 404);
});

test("no, a strange and an expired access token: UNAUTHENTICATED without an FcmError", async () => {
  const missing = await sendBody({ message: { token: PHONE } }, "parcels", null);
  const strange = await sendBody({ message: { token: PHONE } }, "parcels", "Bearer ya29.other");
  lab.settings({ clock_offset: 3600 });
  const expired = await send({});
  for (const reply of [missing, strange, expired]) {
    const error = errorOf(reply);
    assert.deepEqual([reply.status, error.status, fcmCode(error)], [401, "UNAUTHENTICATED", undefined]);
  }
  assert.equal(missing.headers["www-authenticate"], 'Bearer realm="https://accounts.google.com/"');
  assert.equal(strange.headers["www-authenticate"], 'Bearer realm="https://accounts.google.com/", error="invalid_token"');
  assert.match(missing.text, /CREDENTIALS_MISSING/);
  assert.match(expired.text, /ACCESS_TOKEN_EXPIRED/);
});

test("another's project: PERMISSION_DENIED; one that is not there: NOT_FOUND; neither with an FcmError", async () => {
  await lab.makeFcm({ project_id: "letters" });
  const denied = errorOf(await sendBody({ message: { token: PHONE } }, "letters"));
  assert.deepEqual([denied.code, denied.status, fcmCode(denied)], [403, "PERMISSION_DENIED", undefined]);
  assert.match(denied.message, /cloudmessaging\.messages\.create/);
  const missing = errorOf(await sendBody({ message: { token: PHONE } }, "nowhere"));
  assert.deepEqual([missing.code, missing.status, fcmCode(missing)], [404, "NOT_FOUND", undefined]);
});

test("other paths and methods get Google's HTML page, the path escaped", async () => {
  const reply = await post(`${lab.url}/fcm.googleapis.com/v1/projects/parcels/messages:push'`, { body: "{}" });
  assert.equal(reply.status, 404);
  assert.match(reply.headers["content-type"] ?? "", /^text\/html/);
  assert.match(reply.text, /messages:push&#39;/);
  const get = await post(`${lab.url}/fcm.googleapis.com/v1/projects/parcels/messages:send`, { method: "GET" });
  assert.equal(get.status, 404);
});

const unreadable: [string, object, string, RegExp][] = [
  ["an unknown field", { sound: "x" }, "message", /Unknown name "sound" at 'message': Cannot find field\.$/],
  ["an unknown nested field", { android: { notification: { foo: 1 } } }, "message.android.notification", /Unknown name "foo"/],
  ["data that is not a string", { data: { a: "b", n: 1 } }, "message.data[1].value", /\(TYPE_STRING\), 1$/],
  ["data that is null", { data: { n: null } }, "message.data[0].value", /TYPE_STRING/],
  ["data that is a list", { data: ["a"] }, "message.data", /Map/],
  ["a title that is a number", { notification: { title: 5 } }, "message.notification.title", /\(TYPE_STRING\), 5$/],
  ["a notification that is text", { notification: "hi" }, "message.notification", /v1\.Notification\), "hi"$/],
  ["a priority that is none", { android: { priority: "URGENT" } }, "message.android.priority", /AndroidMessagePriority\), "URGENT"$/],
  ["a notification priority that is none", { android: { notification: { notification_priority: "HIGH" } } }, "message.android.notification.notification_priority", /NotificationPriority/],
  ["a visibility that is none", { android: { notification: { visibility: "HIDDEN" } } }, "message.android.notification.visibility", /Visibility/],
  ["a proxy that is none", { android: { notification: { proxy: "MAYBE" } } }, "message.android.notification.proxy", /Proxy/],
  ["a lifetime without a unit", { android: { ttl: "3600" } }, "message.android.ttl", /duration must end with 's'/],
  ["a lifetime that is a number", { android: { ttl: 3600 } }, "message.android.ttl", /Duration/],
  ["a flag that is text", { android: { direct_boot_ok: "yes" } }, "message.android.direct_boot_ok", /TYPE_BOOL/],
  ["a count that is no whole number", { android: { notification: { notification_count: 1.5 } } }, "message.android.notification.notification_count", /TYPE_INT32/],
  ["a time that is none", { android: { notification: { event_time: "noon" } } }, "message.android.notification.event_time", /Timestamp/],
  ["a colour part that is none", { android: { notification: { light_settings: { color: { red: "x" } } } } }, "message.android.notification.light_settings.color.red", /TYPE_FLOAT/],
  ["a payload that is text", { apns: { payload: "x" } }, "message.apns.payload", /Struct/],
  ["two targets", { topic: "news" }, "message", /oneof field 'target' is already set\. Cannot set 'topic'$/],
];
for (const [what, message, field, description] of unreadable) {
  test(`${what}: INVALID_ARGUMENT of the JSON layer, no FcmError`, async () => {
    const error = errorOf(await send(message));
    assert.deepEqual([error.code, error.status, fcmCode(error)], [400, "INVALID_ARGUMENT", undefined]);
    assert.equal(violation(error)?.field, field);
    assert.match(violation(error)?.description ?? "", description);
    assert.equal(error.message, violation(error)?.description);
  });
}

test("an unknown field beside the message has no path", async () => {
  const error = errorOf(await sendBody({ message: { token: PHONE }, dry_run: true }));
  assert.equal(error.message, 'Invalid JSON payload received. Unknown name "dry_run": Cannot find field.');
});

test("all that does not fit is reported at once", async () => {
  const error = errorOf(await send({ a: 1, b: 2 }));
  assert.equal(error.message.split("\n").length, 2);
});

test("a body that is not JSON, or not an object", async () => {
  assert.match(errorOf(await sendBody("{")).message, /^Invalid JSON payload received/);
  assert.equal(errorOf(await sendBody([])).status, "INVALID_ARGUMENT");
});

test("null means not set", async () => {
  assert.equal((await send({ notification: null, android: { ttl: null } })).status, 200);
});

const refusals: [string, object, string][] = [
  ["a lifetime over four weeks", { android: { ttl: "2419201s" } }, "message.android.ttl"],
  ["a negative lifetime", { android: { ttl: "-1s" } }, "message.android.ttl"],
  ["reserved data: from", { data: { from: "x" } }, "message.data"],
  ["reserved data: message_type", { data: { message_type: "x" } }, "message.data"],
  ["reserved data: google", { data: { "google.x": "x" } }, "message.data"],
  ["reserved data: gcm", { data: { gcmx: "x" } }, "message.data"],
  ["reserved data for Android", { android: { data: { from: "x" } } }, "message.android.data"],
  ["a colour that is none", { android: { notification: { color: "red" } } }, "message.android.notification.color"],
  ["a label with a space", { fcm_options: { analytics_label: "a b" } }, "message.fcm_options.analytics_label"],
  ["a label of 51 characters", { android: { fcm_options: { analytics_label: "l".repeat(51) } } }, "message.android.fcm_options.analytics_label"],
  ["a link without TLS", { webpush: { fcm_options: { link: "http://example.com" } } }, "message.webpush.fcm_options.link"],
  ["a malformed token", { token: "has space" }, "message.token"],
  ["no target", { token: undefined }, "message.token"],
  ["a topic with its old prefix", { token: undefined, topic: "/topics/news" }, "message.topic"],
];
for (const [what, message, field] of refusals) {
  test(`${what}: INVALID_ARGUMENT of FCM, field ${field}`, async () => {
    const error = errorOf(await send(message));
    assert.deepEqual([error.code, error.status, fcmCode(error)], [400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
    assert.equal(violation(error)?.field, field);
  });
}

test("no message at all", async () => {
  assert.equal(violation(errorOf(await sendBody({ validate_only: false })))?.field, "message");
});

test("values at the edge pass", async () => {
  const edges = [{ android: { ttl: "2419200s" } }, { android: { ttl: "0s" } }, { data: { fromage: "x", message_types: "x" } }];
  for (const edge of edges) assert.equal((await send(edge)).status, 200);
  assert.equal((await sendBody({ message: { topic: "news" } })).status, 200);
  assert.equal((await sendBody({ message: { condition: "'a' in topics" } })).status, 200);
  assert.equal((await sendBody({ message: { fid: "dIq8XKlVQx2v0000000000" } })).status, 200);
});

test("more than 4096 bytes: Message too big, with no field to point at", async () => {
  const data = (bytes: number): object => ({ data: { k: "é".repeat((bytes - 6) / 2) }, notification: { title: "" } });
  assert.equal((await send(data(4096))).status, 200);
  const error = errorOf(await send(data(4098)));
  assert.deepEqual([error.code, error.message, fcmCode(error)], [400, "Message too big", "INVALID_ARGUMENT"]);
  assert.equal(violation(error), undefined);
});

test("Android's own data and notification count instead of the common ones", async () => {
  assert.equal((await send({ data: { k: "x".repeat(5000) }, android: { data: { k: "x" } } })).status, 200);
  assert.equal((await send({ android: { notification: { body: "x".repeat(4100) } } })).status, 400);
});

test("for topics the limit is 2048 bytes", async () => {
  const message = (bytes: number): object => ({ message: { topic: "news", data: { k: "x".repeat(bytes - 1) } } });
  assert.equal((await sendBody(message(2048))).status, 200);
  assert.equal((await sendBody(message(2049))).status, 400);
});

test("phones that cannot be reached", async () => {
  const expected: [string, number, string, string][] = [
    ["unregistered", 404, "NOT_FOUND", "UNREGISTERED"],
    ["sender_mismatch", 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"],
    ["invalid", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"],
  ];
  for (const [state, code, status, errorCode] of expected) {
    lab.token("fcm", PHONE, { state });
    const error = errorOf(await send({}));
    assert.deepEqual([error.code, error.status, fcmCode(error), violation(error)], [code, status, errorCode, undefined]);
  }
  lab.token("fcm", PHONE, { state: "alive" });
  assert.equal((await send({})).status, 200);
  lab.token("fcm", "news", { state: "unregistered" });
  assert.equal((await sendBody({ message: { topic: "news" } })).status, 200, "a topic is no phone");
  assert.equal((await sendBody({ message: { fid: "news" } })).status, 404);
});

test("a reset takes the access tokens, not the accounts; unless told so", async () => {
  lab.reset();
  assert.equal((await send({})).status, 401);
  access = await accessToken(lab, operator);
  assert.equal((await send({})).status, 200);
  const throwaway = await startLab();
  const held = await throwaway.makeFcm();
  throwaway.reset({ accounts: true });
  assert.equal(await accessToken(throwaway, held), undefined);
  await throwaway.close();
});

test("HTTP/2: the same answers", async () => {
  const headers = { ":authority": "fcm.googleapis.com", ":path": "/v1/projects/parcels/messages:send", authorization: `Bearer ${access}` };
  assert.equal((await h2(lab, headers, JSON.stringify({ message: { token: PHONE } }))).status, 200);
  assert.equal((await h2(lab, headers, JSON.stringify({ message: {} }))).status, 400);
});

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { JWTPayload } from "jose";
import { assertion, exchange, grant, post, seconds } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { FcmCredentials } from "./vendors/google_accounts.ts";

let lab: Lab;
let operator: FcmCredentials;

before(async () => {
  lab = await startLab();
  operator = await lab.makeFcm({ project_id: "parcels" });
});
after(() => lab.close());
beforeEach(() => lab.reset());

async function refused(form: Record<string, string>, status: number, error: string, description: RegExp): Promise<void> {
  const reply = await exchange(lab, form);
  const body = JSON.parse(reply.text) as { error: string; error_description: string };
  assert.deepEqual([reply.status, body.error], [status, error]);
  assert.match(body.error_description, description);
}

test("a good assertion buys a bearer token", async () => {
  const reply = await exchange(lab, grant(await assertion(operator)));
  const body = JSON.parse(reply.text) as Record<string, unknown>;
  assert.equal(reply.status, 200);
  assert.match(String(body["access_token"]), /^ya29\.lab-[0-9a-f]{64}$/);
  assert.deepEqual([body["expires_in"], body["token_type"]], [3599, "Bearer"]);
  assert.equal(lab.stats().oauth_tokens_issued, 1);
});

test("the lifetime can be set", async () => {
  lab.settings({ oauth_expires_in: 60 });
  const reply = await exchange(lab, grant(await assertion(operator)));
  assert.equal((JSON.parse(reply.text) as { expires_in: number }).expires_in, 60);
});

test("the wider scope works, and so do both together", async () => {
  for (const scope of ["cloud-platform", "firebase.messaging"]) {
    const full = `https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/${scope}`;
    assert.equal((await exchange(lab, grant(await assertion(operator, { scope: full })))).status, 200);
  }
});

const badClaims: [string, () => JWTPayload, number, string, RegExp][] = [
  ["an unknown issuer", () => ({ iss: "x@parcels.iam.gserviceaccount.com" }), 400, "invalid_grant", /account not found/],
  ["another audience", () => ({ aud: "https://example.com/token" }), 400, "invalid_grant", /audience/],
  ["more than an hour", () => ({ exp: seconds(3700) }), 400, "invalid_grant", /short-lived/],
  ["an expired one", () => ({ iat: seconds(-3700), exp: seconds(-100) }), 400, "invalid_grant", /short-lived/],
  ["one from the future", () => ({ iat: seconds(900), exp: seconds(1800) }), 400, "invalid_grant", /short-lived/],
  ["another scope", () => ({ scope: "https://www.googleapis.com/auth/drive" }), 400, "invalid_scope", /scope/],
  ["no scope", () => ({ scope: undefined }), 400, "invalid_scope", /scope/],
  ["delegation", () => ({ sub: "someone@example.com" }), 401, "unauthorized_client", /unauthorized/],
];
for (const [what, claims, status, error, description] of badClaims) {
  test(`${what}: ${error}`, async () => refused(grant(await assertion(operator, claims())), status, error, description));
}

test("a signature of another key or another key's id: invalid_grant", async () => {
  const stranger = await lab.makeFcm();
  await refused(grant(await assertion({ ...operator, private_key: stranger.private_key })), 400, "invalid_grant", /Signature/);
  await refused(grant(await assertion(operator, {}, "0".repeat(40))), 400, "invalid_grant", /Signature/);
});

test("forms that are wrong", async () => {
  const jwt = await assertion(operator);
  await refused({ assertion: jwt }, 400, "unsupported_grant_type", /grant_type/);
  await refused({ ...grant(jwt), grant_type: "client_credentials" }, 400, "unsupported_grant_type", /client_credentials/);
  await refused(grant(""), 400, "invalid_request", /assertion/);
  await refused(grant("nonsense"), 400, "invalid_grant", /Bad Request/);
  const json = await post(`${lab.url}/oauth2.googleapis.com/token`, { body: JSON.stringify(grant(jwt)) });
  assert.match(json.text, /invalid_request/);
});

test("other paths and methods get Google's HTML page", async () => {
  const form = new URLSearchParams(grant(await assertion(operator)));
  const elsewhere = await post(`${lab.url}/oauth2.googleapis.com/o/token`, { body: form });
  const get = await post(`${lab.url}/oauth2.googleapis.com/token`, { method: "GET" });
  for (const reply of [elsewhere, get]) {
    assert.equal(reply.status, 404);
    assert.match(reply.headers["content-type"] ?? "", /^text\/html/);
  }
});

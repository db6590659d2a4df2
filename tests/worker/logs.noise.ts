// Makes a gateway log as much as it can; for `logs.spec.ts`, which reads the output of this process.

import { report } from "../lab/reports.ts";
import { ADMIN_KEY, SEAL_KEY, Stage } from "./stage.ts";

const stage = await Stage.start({ build: "target/build-test" });
const secrets: string[] = [ADMIN_KEY, SEAL_KEY];
try {
  const app = await stage.app();
  const secret = "a secret of the tests: 32 bytes or more";
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { user_token_key: { alg: "HS256", secret } });
  secrets.push(app.key, secret);
  const users = Array.from({ length: 25 }, (_, n) => `u${n}`);
  const words = "the words of the message";
  const message = { notification: { title: words, body: "a body nobody else may read", link: "app://a-secret-place/4711" }, data: { order: "a-secret-order" } };
  secrets.push(words, message.notification.body, message.notification.link, message.data.order);
  // Most of a batch is dead; a vendor in trouble; an access token refused; answers cut off.
  const tokens = await Promise.all(users.map((user) => stage.android(app, user)));
  secrets.push(...tokens);
  for (const token of tokens) stage.lab.token("fcm", token, { state: "unregistered" });
  await stage.push(app, { to: { users }, ...message });
  secrets.push(await stage.iphone(app, "apple"));
  for (const fault of [{ hang: true }, { close: true }, { reason: "InternalServerError" }, { reason: "BadDeviceToken" }, { reason: "ExpiredProviderToken" }]) {
    stage.lab.fault({ vendor: "apns", times: 2, do: fault as any });
    await stage.push(app, { to: { users: ["apple"] }, ttl: 0, ...message });
  }
  stage.lab.fault({ vendor: "google_oauth", times: 2, do: { status: 500, body: "trouble" } as any });
  const broken = await stage.app();
  await stage.android(broken, "google");
  await stage.push(broken, { to: { users: ["google"] }, ttl: 0, ...message });
  // KV does not write, and a job is none.
  await stage.ask("POST", "/__test/kv/refuse");
  secrets.push(await stage.android(app, "late"));
  await stage.push(app, { to: { users: ["late"] }, ...message });
  await stage.ask("POST", "/__test/kv/take");
  const queue = (await stage.mf.getQueueProducer("DISPATCH")) as unknown as { send(body: unknown): Promise<void> };
  await queue.send({ token: tokens[0], key: app.key });
  // Reports with tokens where codes should be, and most of a call dead.
  const makers = await stage.channels();
  const { receipts } = await stage.must("GET", `/v1/apps/${makers.id}`, ADMIN_KEY);
  secrets.push(receipts.oppo.split("/").at(-1), receipts.huawei.split("/").at(-1));
  const registered = users.map((user) => `OPPO_CN_of_${user}`);
  secrets.push(...registered);
  for (const [n, token] of registered.entries()) await stage.device(makers, `o${n}`, `o${n}-phone`, { platform: "android", vendor: "oppo", token });
  const told = await stage.push(makers, { to: { users: users.map((_, n) => `o${n}`) }, category: "im", ...message });
  for (const event of ["regid_invalid", registered[0]!, "push_vanished"]) {
    const posted = report("oppo", [{ param: `${told.json.id}.0`, targets: registered, event }]);
    await stage.ask("POST", receipts.oppo, undefined, posted.body, posted.headers);
  }
  // Bad input with secrets in it.
  await stage.ask("PUT", "/v1/users/u/devices/d", app.key, { platform: "android", vendor: "fcm", token: `${tokens[1]}\n` });
  await stage.ask("POST", "/v1/push", `${app.key}x`, message);
  await stage.ask("POST", "/v1/users:import", app.key, `{"user":"u","token":"${tokens[2]}"`);
  await new Promise((next) => setTimeout(next, 2_000));
} finally {
  await stage.stop();
}
process.send?.(secrets);
process.disconnect?.();

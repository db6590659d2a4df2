// `make dev`: the worker beside the vendor lab, a demo app with a key, one push through both vendors, the
// command for the next one, and a page that makes a browser one more device. Runs until Ctrl-C.
//
//   EDGEPUSH_PORT (8787), LAB_PORT (8791; the one after it speaks HTTP/2), DEMO_PORT (8795); 0 = any free one
//   EDGEPUSH_STATE (target/dev)   secrets and local storage, found again at the next start
//   --once                        end after the push, without the page: 0 if every device was accepted, else 1

import { join } from "node:path";
import { type Child, Children } from "./children.ts";
import { Lab, type PushReply } from "./client.ts";
import { type Demo, demoPush, setUpDemo } from "./demo.ts";
import { labLines } from "./lab-log.ts";
import { type Page, servePage } from "./page.ts";
import { choosePorts, type Ports } from "./ports.ts";
import { bold, curl, dim, Progress, pushTable, reason, say } from "./print.ts";
import { type Stack, startStack } from "./stack.ts";

const once = process.argv.includes("--once");
const folder = process.env["EDGEPUSH_STATE"] ?? "target/dev";

// Nothing is printed of the children until everything is up: their words would break the progress lines.
let streaming = false;
const children = new Children((child, line) => {
  if (streaming) say(`${dim(`${child.padEnd(6)} |`)} ${line}`);
});

async function finish(status: number): Promise<never> {
  await children.stop();
  process.exit(status);
}

let signals = 0;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    signals += 1;
    if (signals > 1) return children.kill();
    say("\nstopping ...");
    void finish(0);
  });
}
// Whoever read our output is gone: the same as a Ctrl-C.
process.stdout.on("error", () => void finish(0));

async function start(ports: Ports): Promise<Stack> {
  say("Starting:");
  const progress = new Progress();
  return startStack(children, { ports, folder, onWait: progress.wait, onReady: progress.ready });
}

interface Shown {
  demo: Demo;
  push: PushReply;
}

/** The demo and its push. */
async function demonstrate(stack: Stack): Promise<Shown> {
  const { worker, lab, adminKey } = stack;
  // A browser that the page has registered is a real one.
  await new Lab(lab).settings({ webpush_forward: true });
  const files = { keyFile: join(folder, "demo.key"), vapidFile: join(folder, "demo-vapid.json") };
  const demo = await setUpDemo({ worker, lab, adminKey, ...files });
  const push = await demoPush(demo.gateway);

  say();
  say(bold(`Push ${push.id} to user ${demo.user}: ${push.status}`));
  for (const line of pushTable(push)) say(line);
  say();
  say(bold("What the vendors' lab saw"));
  for (const line of await labLines(lab)) say(`  ${line}`);
  say();
  say(bold("The next push"));
  say();
  for (const line of curl(worker, demo.key, demo.user)) say(line);
  return { demo, push };
}

function isAccepted({ deliveries }: PushReply): boolean {
  return deliveries.length > 0 && deliveries.every((delivery) => delivery.state === "accepted");
}

function serve({ demo, push }: Shown, ports: Ports): Promise<Page> {
  return servePage({ port: ports.page, demo, pushes: [push.id] });
}

function addresses({ worker, lab, version }: Stack, page: Page | undefined): void {
  say();
  say(bold("Addresses"));
  say(`  worker     ${worker}  (${version})`);
  say(`  contract   ${worker}/openapi.json`);
  say(`  lab's log  ${lab}/_lab/log`);
  if (page !== undefined) say(`  demo page  ${page.url}  (makes your browser a device of the demo's user)`);
  say(`  admin key  ${join(folder, "secrets.env")}`);
  say();
}

async function stayUp(stack: Stack): Promise<never> {
  say(dim("Ctrl-C ends all of it. A change under src/ builds and reloads by itself. The log:"));
  streaming = true;
  const gone: Child = await stack.broken;
  if (!children.stopping) {
    say(`\nThe ${gone.name} ended by itself (${gone.end}); stopping the rest.`);
    await finish(1);
  }
  // Being stopped on purpose: `finish` is at work and ends the process.
  return new Promise<never>(() => {});
}

try {
  const ports = await choosePorts(process.env);
  const stack = await start(ports);
  let shown: Shown | undefined;
  try {
    shown = await demonstrate(stack);
  } catch (error) {
    if (!children.stopping) say(`\nThe demo did not go through: ${reason(error)}`);
  }
  if (!children.stopping) {
    const page = shown === undefined || once ? undefined : await serve(shown, ports);
    addresses(stack, page);
    if (once) await finish(shown !== undefined && isAccepted(shown.push) ? 0 : 1);
    await stayUp(stack);
  }
} catch (error) {
  if (!children.stopping) {
    say(`\n${reason(error)}`);
    await finish(1);
  }
}

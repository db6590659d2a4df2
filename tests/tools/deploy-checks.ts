// What has to be there before edgepush can be deployed, each with the commands that put it there. No
// output and no process of its own: `deploy.ts` runs wrangler, the tests play it.

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs wrangler with these arguments. */
export type Wrangler = (args: readonly string[]) => Ran;

/** The parts of wrangler.toml that are checked. */
export interface Config {
  kv: { binding: string; id?: string }[];
  queues: string[];
}

export interface Check {
  what: string;
  /** "unknown" where it can only be asked after logging in. */
  state: "ok" | "missing" | "unknown";
  /** What to do about it, ready to be pasted. */
  fix: string[];
}

/** Required secrets, and how to make one that is good and not lost. */
const SECRETS: Record<string, string[]> = {
  ADMIN_KEY: [
    "ADMIN_KEY=$(openssl rand -hex 32); echo \"Keep this, it creates apps: $ADMIN_KEY\"",
    "printf %s \"$ADMIN_KEY\" | npx wrangler secret put ADMIN_KEY",
  ],
  SEAL_KEY: [
    "SEAL_KEY=$(openssl rand -base64 32); echo \"Keep this, changing it needs the old one: $SEAL_KEY\"",
    "printf %s \"$SEAL_KEY\" | npx wrangler secret put SEAL_KEY",
  ],
};

export function checkAll(config: Config, wrangler: Wrangler): Check[] {
  const login = checkLogin(wrangler);
  const loggedIn = login.state === "ok";
  return [
    login,
    ...config.kv.map(checkNamespace),
    ...config.queues.map((queue) => (loggedIn ? checkQueue(queue, wrangler) : unknown(`queue ${queue}`))),
    ...(loggedIn ? checkSecrets(wrangler) : Object.keys(SECRETS).map((name) => unknown(`secret ${name}`))),
  ];
}

function checkLogin(wrangler: Wrangler): Check {
  const ok = wrangler(["whoami", "--json"]).status === 0;
  return {
    what: "logged in to Cloudflare",
    state: ok ? "ok" : "missing",
    fix: ["npx wrangler login", "# or, without a browser: export CLOUDFLARE_API_TOKEN=..."],
  };
}

function checkNamespace({ binding, id }: Config["kv"][number]): Check {
  return {
    what: `KV namespace ${binding}`,
    state: id !== undefined && /^[0-9a-f]{32}$/.test(id) ? "ok" : "missing",
    fix: [`npx wrangler kv namespace create ${binding}`, `# and put the id it prints into wrangler.toml, at binding = "${binding}"`],
  };
}

function checkQueue(queue: string, wrangler: Wrangler): Check {
  const what = `queue ${queue}`;
  const ran = wrangler(["queues", "info", queue]);
  if (ran.status !== 0 && !isAbsent(ran)) return unanswered(what, ran);
  return { what, state: ran.status === 0 ? "ok" : "missing", fix: [`npx wrangler queues create ${queue}`] };
}

function checkSecrets(wrangler: Wrangler): Check[] {
  const ran = wrangler(["secret", "list", "--format", "json"]);
  if (ran.status !== 0 && !isAbsent(ran)) return [unanswered("list of secrets", ran)];
  const present = secretNames(ran);
  return Object.entries(SECRETS).map(([name, fix]) => ({
    what: `secret ${name}`,
    state: present.has(name) ? "ok" : "missing",
    fix,
  }));
}

/** Before the first deployment there is no worker to list secrets of: then there are none. */
function secretNames(ran: Ran): Set<string> {
  if (ran.status !== 0) return new Set();
  try {
    // Lines before the list are wrangler's own words.
    const list: unknown = JSON.parse(ran.stdout.slice(Math.max(ran.stdout.indexOf("["), 0)));
    if (!Array.isArray(list)) return new Set();
    return new Set(list.map((secret: { name?: unknown }) => String(secret.name)));
  } catch {
    return new Set();
  }
}

/** The answer was "there is none", and not a refusal or a broken connection. */
function isAbsent(ran: Ran): boolean {
  return /does not exist|not found|code: 10007/i.test(ran.stdout + ran.stderr);
}

/** wrangler could not say: its own words are the best there is. */
function unanswered(what: string, ran: Ran): Check {
  const words = (ran.stderr.trim() || ran.stdout.trim()).split("\n").slice(0, 10);
  return { what, state: "missing", fix: ["# wrangler could not say; its words:", ...words] };
}

function unknown(what: string): Check {
  return { what, state: "unknown", fix: [] };
}

/** The checks as text: a line each, then the commands for what is missing. */
export function report(checks: readonly Check[]): string[] {
  const mark = { ok: "ok     ", missing: "MISSING", unknown: "?      " };
  const lines = checks.map((check) => `  ${mark[check.state]}  ${check.what}`);
  const missing = checks.filter((check) => check.state === "missing");
  if (missing.length === 0) return lines;
  lines.push("", "Not deployed. What is missing, and how to add it:");
  for (const check of missing) lines.push("", `  ${check.what}:`, ...check.fix.map((line) => `    ${line}`));
  if (checks.some((check) => check.state === "unknown")) lines.push("", "The ones marked ? are looked at once you are logged in.");
  lines.push("", "Then run `make deploy` again.");
  return lines;
}

// `make sim`: one day of a marketplace, sent twice to the same phones by way of the lab. What is assumed
// stands in population.ts and traffic.ts.

import { existsSync, mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { assertBuilt, disposeAll, ROOT } from "../bench/variants.ts";
import { startLab } from "../lab/lab.ts";
import { limitsOf, makeAccounts } from "./accounts.ts";
import { sendByEdgepush } from "./edgepush.ts";
import { Witness } from "./funnel.ts";
import { closeConnections } from "./http.ts";
import { sendNaively } from "./naive.ts";
import { makePopulation, stateAtVendor } from "./population.ts";
import { page, print, progress, type Results } from "./report.ts";
import { makeDay } from "./traffic.ts";

interface Options {
  seed: number;
  users: number;
  messages: number;
  out: string;
}

const NUMBERS = { seed: [1, 0, 2 ** 32 - 1], users: [5_000, 20, 1_000_000], messages: [6, 1, 100] } as const;

function options(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at] as string;
    const value = args[at + 1];
    if (!/^--(seed|users|messages|out)$/.test(name) || value === undefined) throw new Error(`unknown: ${name}. Known, each with a value: --seed, --users, --messages (a user and day), --out (FILE.html)`);
    given.set(name.slice(2), value);
  }
  const text = (name: string): string | undefined => given.get(name) ?? env[`SIM_${name.toUpperCase()}`];
  const number = (name: keyof typeof NUMBERS): number => {
    const [usual, least, most] = NUMBERS[name];
    const value = Number(text(name) ?? usual);
    if (!Number.isSafeInteger(value) || value < least || value > most) throw new Error(`${name} is a whole number from ${least} to ${most}`);
    return value;
  };
  return { seed: number("seed"), users: number("users"), messages: number("messages"), out: resolve(ROOT, text("out") ?? "target/sim.html") };
}

/** What the objects of a user and of its devices store, with room to spare. */
const BYTES_A_USER = 500_000;
const MEMORY = "/dev/shm";

/**
 * Where workerd stores, for as long as it runs. Every user, device and token is a database of its own, so that is memory where
 * there is enough of it; on a disk the same day takes several times as long.
 */
function scratch(users: number): string {
  if (existsSync(MEMORY)) {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize > users * BYTES_A_USER) return MEMORY;
  }
  const folder = join(ROOT, "target/tmp");
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function run({ seed, users, messages, out }: Options): Promise<Results> {
  assertBuilt();
  process.env["TMPDIR"] = scratch(users);
  const population = makePopulation(seed, users);
  const day = makeDay(seed, population, messages);
  const limits = limitsOf(population);
  let witness = new Witness(population, day);
  const lab = await startLab({ settings: { log_size: 0 }, watch: (...seen) => witness.watch(...seen) });
  const cleanUp = async (): Promise<void> => {
    await disposeAll();
    await lab.close();
    closeConnections();
  };
  const interrupted = (): void => void cleanUp().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    for (const phone of population.phones.values()) {
      const state = stateAtVendor(phone);
      if (state !== undefined) lab.token(phone.vendor, phone.token, { state });
    }
    const clock = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;

    const began = performance.now();
    const taken = await sendNaively(lab, await makeAccounts(lab, limits), population, day, ({ hour }, done) => progress("naive", clock(hour), done, day.messages));
    const naive = witness.funnel(taken, () => undefined, (performance.now() - began) / 1000);

    witness = new Witness(population, day);
    const outcome = await sendByEdgepush(lab, await makeAccounts(lab, limits), limits, population, day, {
      onImport: (done, of) => progress("edgepush imports the phones", "", done, of),
      onPush: ({ hour }, done) => progress("edgepush", clock(hour), done, day.messages),
      onWait: (left) => progress("edgepush empties its queue, pushes done", "", day.pushes.length - left, day.pushes.length),
    });
    const edgepush = witness.funnel(outcome.taken, outcome.kept, outcome.seconds);
    return { seed, users, messages, limits, phones: population.people.reduce((sum, { phones }) => sum + phones.length, 0), naive, edgepush, own: outcome.own, out };
  } finally {
    process.removeListener("SIGINT", interrupted);
    process.removeListener("SIGTERM", interrupted);
    await cleanUp();
  }
}

try {
  const results = await run(options(process.argv.slice(2), process.env));
  mkdirSync(dirname(results.out), { recursive: true });
  writeFileSync(results.out, page(results));
  writeFileSync(results.out.replace(/(\.html)?$/, ".json"), `${JSON.stringify({ at: new Date().toISOString(), ...results }, null, 2)}\n`);
  print(results);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

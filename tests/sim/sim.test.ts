// The simulated day works: the same seed, the same day; nothing unaccounted for; no quota and no phone's limit met by edgepush; a picture.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { countPhones, makePopulation, SHARES } from "./population.ts";
import { CATEGORIES, makeDay, MIX, numberIn, words } from "./traffic.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "tests/sim/main.ts");

test("a seed stands for one population and one day", () => {
  const [one, same, other] = [makePopulation(7, 300), makePopulation(7, 300), makePopulation(8, 300)];
  assert.deepEqual(one, same);
  assert.notDeepEqual(one.people, other.people);
  assert.deepEqual(makeDay(7, one, 6), makeDay(7, same, 6));
  assert.notDeepEqual(makeDay(7, one, 6), makeDay(8, one, 6));
});

test("a population is as the table of shares says", () => {
  const population = makePopulation(3, 20_000);
  const phones = population.people.flatMap((person) => person.phones);
  const near = (found: number, wanted: number, what: string): void => assert.ok(Math.abs(found - wanted) < 0.01, `${what}: ${found}, not ${wanted}`);
  near(population.people.filter((person) => person.phones.length === 0).length / 20_000, SHARES.noDevice, "no device");
  near(phones.filter(({ alive }) => !alive).length / phones.length, SHARES.gone, "gone");
  near(phones.filter(({ vendor }) => vendor === "harmony").length / phones.length, SHARES.vendor.harmony / 100, "harmony");
  const counts = countPhones(population);
  near(1 - counts.apns.enabled / counts.apns.installed, SHARES.off.apns, "off");
  // The old table has two tokens of everybody, and each token is one phone's.
  const tokens = population.people.flatMap(({ table }) => [table.ios.token, table.android.token]);
  assert.equal(new Set(tokens).size, 40_000);
});

test("a day has the messages it was asked for, to different users of each push", () => {
  const day = makeDay(3, makePopulation(3, 1_000), 6);
  assert.equal(day.messages, 6_000);
  for (const category of CATEGORIES) {
    const messages = day.pushes.filter((push) => push.category === category).reduce((sum, { users }) => sum + users.length, 0);
    assert.equal(messages, Math.round(6_000 * MIX[category]), category);
  }
  day.pushes.forEach((push, at) => {
    assert.equal(new Set(push.users).size, push.users.length);
    assert.deepEqual([push.n, numberIn(words(push).body)], [at, at]);
  });
});

test("a small day: both funnels account for every message, edgepush meets no limit, the picture is written", { timeout: 120_000 }, () => {
  const out = join(ROOT, "target/sim-test.html");
  for (const file of [out, out.replace("html", "json")]) rmSync(file, { force: true });
  const run = spawnSync(process.execPath, [MAIN, "--seed", "5", "--users", "60", "--out", out], { cwd: ROOT, encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  for (const title of ["how far messages came", "where each message ended", "calls per message that arrived"]) assert.ok(run.stdout.includes(title), run.stdout);
  const { naive, edgepush, own } = JSON.parse(readFileSync(out.replace("html", "json"), "utf8"));
  for (const funnel of [naive, edgepush]) {
    assert.equal(funnel.messages, 360);
    assert.equal(funnel.taken, 360);
    assert.equal(Object.values<number>(funnel.ends).reduce((a, b) => a + b, 0), 360);
    assert.equal(Object.values<number>(funnel.kept).reduce((a, b) => a + b, 0), funnel.ends.kept);
    assert.equal(funnel.kept.unaccounted, undefined);
    assert.ok(funnel.arrived > 0 && funnel.arrived <= funnel.accepted && funnel.accepted <= funnel.sent);
    assert.ok(funnel.calls >= funnel.sends.all * 0.1);
  }
  assert.deepEqual([edgepush.sends.quota, edgepush.sends.capped], [0, 0]);
  assert.equal(edgepush.sends.other, 0);
  // Before the totals: where two a phone are all that arrive, twice as many as there are phones is never reached.
  assert.ok(naive.sends.capped > 0, "the naive sender meets the limits of phones");
  assert.ok(edgepush.kept.cap > 0, "which edgepush holds back for by itself");
  assert.equal(naive.sends.all, 720, "two sends for each message, whoever it is for");
  assert.equal(naive.sends.other, 0, "the vendors take the naive sender's requests for well-formed");
  assert.deepEqual([own.balanced, own.accepted], [true, edgepush.sends.accepted]);
  const page = readFileSync(out, "utf8");
  assert.match(page, /<svg[^>]*>[^]*<rect class="edgepush"/);
  assert.doesNotMatch(page, /(?:src|href)=|https?:|url\(/, "nothing comes from elsewhere");
});

test("what is not understood is refused with what is", () => {
  for (const args of [["--speed", "1"], ["--users"], ["--users", "few"]]) {
    const run = spawnSync(process.execPath, [MAIN, ...args], { cwd: ROOT, encoding: "utf8" });
    assert.equal(run.status, 1, args.join(" "));
    assert.match(run.stderr, /--users|users is a whole number/);
  }
});

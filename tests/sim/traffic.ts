// One day of a marketplace: who is told what, hour by hour. Nothing here knows how it is sent.

import type { Population } from "./population.ts";
import { Random } from "./random.ts";

export const CATEGORIES = ["im", "order", "follow", "marketing"] as const;
export type Category = (typeof CATEGORIES)[number];

/** Of all messages. A chat is what a second-hand marketplace lives of; news and offers are sent to many at once. */
export const MIX: Readonly<Record<Category, number>> = { im: 0.5, order: 0.1, follow: 0.2, marketing: 0.2 };
/** Of single messages and news, by hour of the day: asleep until seven, most of it in the evening. */
const HOURS = [1, 1, 0, 0, 0, 0, 1, 2, 4, 5, 5, 5, 6, 5, 5, 5, 5, 6, 8, 10, 11, 9, 6, 3];
/** A chat whose other side is not there: so many messages in a row. */
const BURST = 4;
/** Followers of one seller who are told at once, at most. */
const FOLLOWERS = 300;
/** When the campaigns of the day go out. Each goes to as many as it takes. */
const CAMPAIGN_HOURS = [10, 20];

export interface Push {
  /** Stands in the text of the message, so that it is known again wherever it arrives. */
  n: number;
  hour: number;
  category: Category;
  users: string[];
  /** To an audience that was uploaded before, instead of to users by name. */
  audience?: string;
}

export interface Day {
  pushes: Push[];
  /** Messages: one to one user. */
  messages: number;
}

const TEXTS: Readonly<Record<Category, [title: string, body: string]>> = {
  im: ["Mia", "Is it still there?"],
  order: ["Sent", "Your parcel has left"],
  follow: ["New", "Somebody you follow sells a bicycle"],
  marketing: ["Spring", "All boots half price"],
};

export function words({ n, category }: Push): { title: string; body: string } {
  const [title, body] = TEXTS[category];
  return { title, body: `${body} ${mark(n)}` };
}

const mark = (n: number): string => `sim${n}sim`;
const MARK = /sim(\d+)sim/;

/** Which push a vendor's request is of. */
export function numberIn(text: string): number | undefined {
  const found = MARK.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

export function makeDay(seed: number, { people }: Population, perUser: number): Day {
  const random = new Random(seed ^ 0x5eed);
  const users = people.map(({ id }) => id);
  const pushes: Omit<Push, "n">[] = [];
  const hours = Object.fromEntries(HOURS.map((weight, hour) => [String(hour), weight]));
  const hour = (): number => Number(random.weighted(hours));
  // A few talk a lot: the square puts half of the chats on a quarter of the users.
  const talker = (): string => users[Math.floor(random.next() ** 2 * users.length)] as string;
  const total = (category: Category): number => Math.round(users.length * perUser * MIX[category]);

  for (let left = total("im"); left > 0; ) {
    const [at, user, length] = [hour(), talker(), Math.min(left, 1 + random.below(BURST))];
    for (let n = 0; n < length; n++) pushes.push({ hour: at, category: "im", users: [user] });
    left -= length;
  }
  for (let left = total("order"); left > 0; left--) pushes.push({ hour: hour(), category: "order", users: [talker()] });
  for (let left = total("follow"); left > 0; ) {
    const followers = random.sample(users, Math.min(left, 5 + random.below(FOLLOWERS - 5)));
    pushes.push({ hour: hour(), category: "follow", users: followers });
    left -= followers.length;
  }
  const campaigns = total("marketing");
  CAMPAIGN_HOURS.forEach((at, n) => {
    for (let left = share(campaigns, CAMPAIGN_HOURS.length, n), part = 0; left > 0; part++) {
      const chosen = random.sample(users, left);
      pushes.push({ hour: at, category: "marketing", users: chosen, audience: `campaign-${at}-${part}` });
      left -= chosen.length;
    }
  });
  // Within an hour in the order they were drawn, which mixes nothing: so by a number of chance.
  const order = new Map(pushes.map((push) => [push, push.hour + random.next()]));
  const sorted = pushes.toSorted((a, b) => (order.get(a) as number) - (order.get(b) as number));
  const numbered = sorted.map((push, n): Push => ({ n, ...push }));
  return { pushes: numbered, messages: numbered.reduce((sum, { users }) => sum + users.length, 0) };
}

function share(total: number, parts: number, n: number): number {
  return Math.floor((total * (n + 1)) / parts) - Math.floor((total * n) / parts);
}

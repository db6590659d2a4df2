// Who lives in the simulated day: users, their phones as they really are, and what senders know of them.

import { Random } from "./random.ts";

export const VENDORS = ["apns", "fcm", "huawei", "harmony", "honor", "xiaomi", "oppo", "vivo", "meizu"] as const;
export type VendorName = (typeof VENDORS)[number];

/**
 * Everything that is assumed about the population. None of it is measured: it is what a marketplace in China could look like,
 * and each line says why it is what it is. Change it here and run again.
 */
export const SHARES = {
  /** Of phones. An app store's view of China: a quarter iPhones, five large makers, HarmonyOS NEXT growing, few Meizu; FCM is what
   * travellers and imported phones have. */
  vendor: { apns: 24, huawei: 14, harmony: 10, honor: 11, xiaomi: 14, oppo: 12, vivo: 12, meizu: 1, fcm: 2 },
  /** Of users: logged out, or in the browser only. */
  noDevice: 0.08,
  /** Of users with a device: a second phone or a tablet. */
  secondDevice: 0.12,
  /** Of devices: the app was removed and nobody has told yet. Some months of ordinary uninstalling. */
  gone: 0.08,
  /** Of devices: notifications are off. iOS and HarmonyOS NEXT ask first, Android (most of it before 13) does not. */
  off: { apns: 0.4, harmony: 0.35, others: 0.2 },
  /** Of devices with notifications off: the app has said so at its last start. The others were switched off since. */
  offIsKnown: 0.9,
} as const;

export interface Phone {
  user: string;
  device: string;
  vendor: VendorName;
  token: string;
  /** The app is still on it. */
  alive: boolean;
  /** It shows notifications. */
  shows: boolean;
  /** What the app has said about permission at its last start. */
  permission: "granted" | "denied";
}

export interface Person {
  id: string;
  phones: Phone[];
  /**
   * What a table with one token per user and system has: the last one it was told, of whatever phone. Where there is no such phone
   * (any more) it is that of an earlier one, which has the app no longer: nobody ever cleans such a table up.
   */
  table: { ios: Phone; android: Phone };
}

export interface Population {
  people: Person[];
  /** Every phone that anybody has a token of, by vendor and token. */
  phones: Map<string, Phone>;
}

/** What each vendor says of a phone whose app is gone; of some it says so only later, or never. */
const GONE: Readonly<Record<VendorName, readonly string[]>> = {
  apns: ["unregistered"],
  fcm: ["unregistered"],
  huawei: ["invalid", "uninstalled"],
  harmony: ["invalid", "uninstalled"],
  honor: ["expired", "uninstalled"],
  xiaomi: ["invalid"],
  oppo: ["malformed", "dead"],
  vivo: ["unknown", "uninstalled"],
  meizu: ["unsubscribed"],
};

/** What a vendor knows of notifications that are off. The others take the message, and the phone shows nothing. */
const OFF: Readonly<Partial<Record<VendorName, string>>> = { huawei: "muted", harmony: "muted", honor: "muted", vivo: "muted", meizu: "muted" };

export function makePopulation(seed: number, users: number): Population {
  const random = new Random(seed);
  const phones = new Map<string, Phone>();
  const people = Array.from({ length: users }, (_, n): Person => {
    const id = `u${n}`;
    const make = (device: string, vendor: VendorName, gone = random.chance(SHARES.gone)): Phone => {
      const phone = makePhone(random, id, `${id}-${device}`, vendor, gone);
      phones.set(key(vendor, phone.token), phone);
      return phone;
    };
    const own: Phone[] = [];
    if (!random.chance(SHARES.noDevice)) {
      own.push(make("a", random.weighted(SHARES.vendor)));
      if (random.chance(SHARES.secondDevice)) own.push(make("b", random.weighted(SHARES.vendor)));
    }
    const last = (ios: boolean): Phone =>
      own.findLast(({ vendor }) => (vendor === "apns") === ios) ??
      make(ios ? "old-ios" : "old-android", ios ? "apns" : random.weighted({ ...SHARES.vendor, apns: 0 }), true);
    return { id, phones: own, table: { ios: last(true), android: last(false) } };
  });
  return { people, phones };
}

export function key(vendor: string, token: string): string {
  return `${vendor} ${token}`;
}

function makePhone(random: Random, user: string, device: string, vendor: VendorName, gone: boolean): Phone {
  const off = random.chance(vendor === "apns" ? SHARES.off.apns : vendor === "harmony" ? SHARES.off.harmony : SHARES.off.others);
  const known = random.chance(SHARES.offIsKnown);
  return { user, device, vendor, token: makeToken(random, vendor), alive: !gone, shows: !off, permission: off && known ? "denied" : "granted" };
}

function makeToken(random: Random, vendor: VendorName): string {
  switch (vendor) {
    case "apns":
      return random.hex(64);
    case "fcm":
      return `${random.hex(22)}:APA91b${random.hex(64)}`;
    case "oppo":
      return `OPPO_CN_${random.hex(32)}`;
    default:
      return random.hex(32);
  }
}

/** What the vendor knows of a phone; nothing where it is as any other. */
export function stateAtVendor({ vendor, token, alive, shows }: Phone): string | undefined {
  const gone = GONE[vendor];
  // Which of the vendor's words it is follows from the token, so that the seed decides.
  if (!alive) return gone[Number.parseInt(token.at(-1) as string, 16) % gone.length];
  return shows ? undefined : OFF[vendor];
}

/** How many phones of each vendor, and how many of them show notifications: what the vendors count the day's total by. */
export function countPhones({ people }: Population): Record<VendorName, { installed: number; enabled: number }> {
  const counts = Object.fromEntries(VENDORS.map((vendor) => [vendor, { installed: 0, enabled: 0 }])) as Record<VendorName, { installed: number; enabled: number }>;
  for (const { vendor, alive, shows } of people.flatMap(({ phones }) => phones)) {
    if (!alive) continue;
    counts[vendor].installed += 1;
    if (shows) counts[vendor].enabled += 1;
  }
  return counts;
}

// What an operator sets in a vendor's console: the address that receipts go to, and what they are signed with.

import { fields, InputError, optionalText, text } from "./input.ts";

export interface Console {
  /** Whose messages: the id in their path, of Huawei always `client_id`. Not given: everybody's. */
  readonly account?: string;
  readonly url: string;
  /** Calls are signed where both are there. */
  readonly user?: string;
  /** In base64, as newer configurations show it. */
  readonly secret?: string;
  /** An older configuration, whose secret is used as the text it is. */
  readonly plain_secret?: boolean;
}

/** The vendors whose console has the address, and whether they can sign. */
const SIGNS: Readonly<Record<string, boolean>> = { huawei: true, harmony: true, honor: false };

export class Consoles {
  readonly #all = new Map<string, Console>();

  set(vendor: string, given: unknown): void {
    const signs = SIGNS[vendor];
    if (signs === undefined) throw new InputError(`the consoles of ${Object.keys(SIGNS).join(", ")} have an address for receipts`);
    const all = fields(given, "a console", ["account", "url", ...(signs ? ["user", "secret", "plain_secret"] : [])]);
    const url = text(all, "url");
    const [account, user, secret] = ["account", "user", "secret"].map((name) => optionalText(all, name));
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new InputError('"url" must be an address');
    const plain_secret = all["plain_secret"] === true;
    this.#all.set(name(vendor, account), { url, plain_secret, ...(account && { account }), ...(user && { user }), ...(secret && { secret }) });
  }

  find(vendor: string, account: string | undefined): Console | undefined {
    return this.#all.get(name(vendor, account)) ?? this.#all.get(name(vendor, undefined));
  }

  clear(): void {
    this.#all.clear();
  }
}

function name(vendor: string, account = ""): string {
  return `${vendor} ${account}`;
}

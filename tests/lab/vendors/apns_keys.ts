// Apple's side of provider tokens: the keys a team has registered, and what becomes of the JWT a request carries.
// Vendor page: Apple "establishing a token-based connection to APNs".

import { generateKeyPairSync } from "node:crypto";
import { compactVerify, importSPKI, type CryptoKey } from "jose";
import { fields, InputError, optionalText, optionalTexts, text } from "../input.ts";
import { bearer, jwtParts } from "../jwt.ts";
import { upperId } from "../random.ts";
import type { World } from "./vendor.ts";

const MAX_AGE = 3600;
/** How far ahead a sender's clock may be. Apple names no figure (unverified). */
const FUTURE_SKEW = 60;
const CACHED_TOKENS = 1000;

export type Environment = "production" | "sandbox";
const ENVIRONMENTS: readonly string[] = ["production", "sandbox"] satisfies Environment[];

export interface ApnsKey {
  readonly team_id: string;
  readonly key_id: string;
  readonly topics: ReadonlySet<string>;
  readonly environments: ReadonlySet<string>;
  readonly publicKey: CryptoKey;
  /** The provider tokens taken so far, and the one in use. */
  readonly taken: Set<string>;
  current: string | undefined;
  /** When it last took the place of another one: the first is no update. */
  updatedAt: number | undefined;
}

/** What an operator holds. */
export interface ApnsCredentials {
  team_id: string;
  key_id: string;
  private_key: string;
  topic: string;
}

export interface ApnsAccountOptions {
  team_id?: string;
  key_id?: string;
  topics?: readonly string[];
  environments?: readonly Environment[];
}

export type TokenRefusal =
  | "MissingProviderToken"
  | "InvalidProviderToken"
  | "ExpiredProviderToken"
  | "BadEnvironmentKeyIdInToken"
  | "TooManyProviderTokenUpdates";

export class ApnsKeys {
  readonly #world: World;
  readonly #keys = new Map<string, ApnsKey>();
  /** Signatures are checked once per token string, not once per request; undefined stands for a failed check. */
  readonly #checked = new Map<string, { key: ApnsKey; iat: number } | undefined>();

  constructor(world: World) {
    this.#world = world;
  }

  async register(account: unknown): Promise<void> {
    const given = fields(account, "an APNs account", ["team_id", "key_id", "public_key", "topics", "environments"]);
    const environments = optionalTexts(given, "environments") ?? ENVIRONMENTS;
    if (!environments.every((name) => ENVIRONMENTS.includes(name))) {
      throw new InputError(`"environments" are ${ENVIRONMENTS.join(" and ")}`);
    }
    const topics = optionalTexts(given, "topics");
    if (topics === undefined) throw new InputError('"topics" is missing: the bundle ids the key may push to');
    const publicKey = await importSPKI(text(given, "public_key"), "ES256").catch(() => {
      throw new InputError('"public_key" must be an EC P-256 key in SPKI PEM');
    });
    const key: ApnsKey = {
      team_id: text(given, "team_id"),
      key_id: text(given, "key_id"),
      topics: new Set(topics),
      environments: new Set(environments),
      publicKey,
      taken: new Set(),
      current: undefined,
      updatedAt: undefined,
    };
    this.#keys.set(`${key.team_id}/${key.key_id}`, key);
    this.#checked.clear();
  }

  async make(options: unknown): Promise<ApnsCredentials> {
    const given = fields(options, "options", ["team_id", "key_id", "topics", "environments"]);
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const topics = optionalTexts(given, "topics") ?? ["com.example.app"];
    const account = {
      team_id: optionalText(given, "team_id") ?? upperId(10),
      key_id: optionalText(given, "key_id") ?? upperId(10),
      topics,
      environments: given["environments"],
      public_key: pair.publicKey.export({ type: "spki", format: "pem" }),
    };
    await this.register(account);
    const private_key = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { team_id: account.team_id, key_id: account.key_id, private_key, topic: topics[0] as string };
  }

  /** The key behind a request, or why Apple refuses its token. */
  async admit(authorization: string | undefined, environment: Environment): Promise<ApnsKey | TokenRefusal> {
    const jwt = bearer(authorization);
    if (jwt === undefined) return "MissingProviderToken";
    this.#world.credentialSeen("apns", jwt);
    const checked = this.#checked.has(jwt) ? this.#checked.get(jwt) : await this.#check(jwt);
    if (checked === undefined) return "InvalidProviderToken";
    const now = this.#world.now();
    const age = now / 1000 - checked.iat;
    if (age > MAX_AGE || age < -FUTURE_SKEW) return "ExpiredProviderToken";
    if (!checked.key.environments.has(environment)) return "BadEnvironmentKeyIdInToken";
    return this.#take(checked.key, jwt, now) ? checked.key : "TooManyProviderTokenUpdates";
  }

  async #check(jwt: string): Promise<{ key: ApnsKey; iat: number } | undefined> {
    const result = await this.#verify(jwt);
    if (this.#checked.size >= CACHED_TOKENS) this.#checked.clear();
    this.#checked.set(jwt, result);
    return result;
  }

  async #verify(jwt: string): Promise<{ key: ApnsKey; iat: number } | undefined> {
    const parts = jwtParts(jwt);
    const iat = parts?.claims["iat"];
    const key = this.#keys.get(`${String(parts?.claims["iss"])}/${String(parts?.header["kid"])}`);
    if (key === undefined || typeof iat !== "number") return undefined;
    try {
      await compactVerify(jwt, key.publicKey, { algorithms: ["ES256"] });
      return { key, iat };
    } catch {
      return undefined;
    }
  }

  // The documentation speaks of updates on one connection; a field report (vendor page 1.2) saw the limit per
  // team and key, whatever the connection. The stricter of the two is played. It is updates that are limited: a key's
  // first token is none. Whether a return to an older token counts is unknown; both readings can be set.
  #take(key: ApnsKey, jwt: string, now: number): boolean {
    if (jwt === key.current) return true;
    const { apns_strict_jwt, apns_jwt_interval } = this.#world.settings;
    if (key.taken.has(jwt) && !apns_strict_jwt) return true;
    if (key.updatedAt !== undefined && now - key.updatedAt < apns_jwt_interval * 1000) return false;
    if (key.current !== undefined) key.updatedAt = now;
    key.taken.add(jwt);
    key.current = jwt;
    return true;
  }

  reset(accounts: boolean): void {
    if (accounts) {
      this.#keys.clear();
      this.#checked.clear();
    }
    for (const key of this.#keys.values()) {
      key.taken.clear();
      key.current = undefined;
      key.updatedAt = undefined;
    }
  }
}

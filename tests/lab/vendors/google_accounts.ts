// Google service accounts and the access tokens they have fetched: what the token endpoint writes and FCM reads.

import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { importSPKI, type CryptoKey } from "jose";
import { fields, InputError, optionalText, text } from "../input.ts";
import { digits, hex } from "../random.ts";

const PRUNE_ABOVE = 1000;

export interface GoogleAccount {
  readonly project_id: string;
  readonly client_email: string;
  readonly private_key_id: string;
  readonly publicKey: CryptoKey;
}

export interface AccessToken {
  readonly project_id: string;
  readonly expiresAt: number;
}

/** A service-account file as Google hands it out. */
export interface FcmCredentials {
  type: "service_account";
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  auth_uri: string;
  token_uri: string;
  auth_provider_x509_cert_url: string;
  client_x509_cert_url: string;
  universe_domain: string;
}

export interface FcmAccountOptions {
  project_id?: string;
}

export class GoogleAccounts {
  readonly #byEmail = new Map<string, GoogleAccount>();
  readonly #projects = new Set<string>();
  readonly #access = new Map<string, AccessToken>();

  async register(account: unknown): Promise<void> {
    const given = fields(account, "an FCM account", ["project_id", "client_email", "private_key_id", "public_key"]);
    const publicKey = await importSPKI(text(given, "public_key"), "RS256").catch(() => {
      throw new InputError('"public_key" must be an RSA key in SPKI PEM');
    });
    const project_id = text(given, "project_id");
    const client_email = text(given, "client_email");
    const private_key_id = text(given, "private_key_id");
    this.#byEmail.set(client_email, { project_id, client_email, private_key_id, publicKey });
    this.#projects.add(project_id);
  }

  async make(options: unknown): Promise<FcmCredentials> {
    const given = fields(options, "options", ["project_id"]);
    const pair = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
    const project_id = optionalText(given, "project_id") ?? `lab-${hex(6)}`;
    const client_email = `firebase-adminsdk-${hex(5)}@${project_id}.iam.gserviceaccount.com`;
    const private_key_id = hex(40);
    const public_key = pair.publicKey.export({ type: "spki", format: "pem" });
    await this.register({ project_id, client_email, private_key_id, public_key });
    return {
      type: "service_account",
      project_id,
      private_key_id,
      private_key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      client_email,
      client_id: digits(21),
      auth_uri: "https://accounts.google.com/o/oauth2/auth",
      token_uri: "https://oauth2.googleapis.com/token",
      auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
      client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(client_email)}`,
      universe_domain: "googleapis.com",
    };
  }

  byEmail(email: string): GoogleAccount | undefined {
    return this.#byEmail.get(email);
  }

  hasProject(project: string): boolean {
    return this.#projects.has(project);
  }

  grant(account: GoogleAccount, now: number, seconds: number): string {
    if (this.#access.size > PRUNE_ABOVE) {
      for (const [token, access] of this.#access) if (access.expiresAt <= now) this.#access.delete(token);
    }
    const token = `ya29.lab-${hex(64)}`;
    this.#access.set(token, { project_id: account.project_id, expiresAt: now + seconds * 1000 });
    return token;
  }

  access(token: string): AccessToken | undefined {
    return this.#access.get(token);
  }

  reset(accounts: boolean): void {
    this.#access.clear();
    if (!accounts) return;
    this.#byEmail.clear();
    this.#projects.clear();
  }
}

// Google's OAuth 2.0 token endpoint for service accounts (JWT bearer grant, RFC 7523).
// Page: developers.google.com/identity/protocols/oauth2/service-account. The error codes are Google's; the wording of
// the descriptions is from memory (unverified).

import { compactVerify } from "jose";
import { jwtParts } from "../jwt.ts";
import type { GoogleAccounts } from "./google_accounts.ts";
import { notFoundPage } from "./google_error.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const AUDIENCE = "https://oauth2.googleapis.com/token";
const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES: ReadonlySet<string> = new Set([
  "https://www.googleapis.com/auth/firebase.messaging",
  "https://www.googleapis.com/auth/cloud-platform",
]);
const MAX_LIFETIME = 3600;
/** How far ahead a sender's clock may be; Google names no figure (unverified). */
const FUTURE_SKEW = 300;

const STATUS: Readonly<Record<string, number>> = {
  invalid_request: 400,
  invalid_grant: 400,
  invalid_scope: 400,
  unsupported_grant_type: 400,
  invalid_client: 401,
  unauthorized_client: 401,
};

export function googleOauth(world: World, accounts: GoogleAccounts): Vendor {
  async function exchange(form: URLSearchParams): Promise<Answer> {
    const grantType = form.get("grant_type") ?? "";
    if (grantType !== GRANT_TYPE) return oauthError("unsupported_grant_type", `Invalid grant_type: ${grantType}`);
    const assertion = form.get("assertion");
    if (!assertion) return oauthError("invalid_request", "Missing required parameter: assertion");
    const parts = jwtParts(assertion);
    if (parts === undefined) return oauthError("invalid_grant", "Bad Request");
    const { header, claims } = parts;

    const account = accounts.byEmail(String(claims["iss"]));
    if (account === undefined) return oauthError("invalid_grant", "Invalid grant: account not found");
    const kid = header["kid"];
    if (kid !== undefined && kid !== account.private_key_id) return oauthError("invalid_grant", "Invalid JWT Signature.");
    try {
      await compactVerify(assertion, account.publicKey, { algorithms: ["RS256"] });
    } catch {
      return oauthError("invalid_grant", "Invalid JWT Signature.");
    }
    if (claims["aud"] !== AUDIENCE) return oauthError("invalid_grant", "Invalid JWT: Failed audience check.");
    if (!timely(claims["iat"], claims["exp"], world.now() / 1000)) {
      return oauthError(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
      );
    }
    if (claims["sub"] !== undefined && claims["sub"] !== account.client_email) {
      return oauthError(
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
      );
    }
    const scope = claims["scope"];
    if (typeof scope !== "string" || !scope.split(" ").every((name) => SCOPES.has(name))) {
      return oauthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    }
    const seconds = world.settings.oauth_expires_in;
    const access_token = accounts.grant(account, world.now(), seconds);
    return json(200, { access_token, expires_in: seconds, token_type: "Bearer" });
  }

  return {
    name: "google_oauth",
    hosts: ["oauth2.googleapis.com"],
    tokenStates: [],
    identify(request) {
      const claims = jwtParts(formOf(request).get("assertion") ?? "")?.claims;
      return { account: accounts.byEmail(String(claims?.["iss"]))?.project_id, tokens: [] };
    },
    async answer(request) {
      if (request.path !== "/token" || request.method !== "POST") return notFoundPage(request.path);
      if (!request.header("content-type")?.startsWith("application/x-www-form-urlencoded")) {
        return oauthError("invalid_request", "Content-Type must be application/x-www-form-urlencoded");
      }
      const form = formOf(request);
      world.credentialSeen("google_oauth", form.get("assertion") ?? "");
      return exchange(form);
    },
    refusal: (reason) => (reason in STATUS ? oauthError(reason, "Bad Request") : undefined),
    reset: (everything) => accounts.reset(everything),
  };
}

function timely(iat: unknown, exp: unknown, now: number): boolean {
  if (typeof iat !== "number" || typeof exp !== "number") return false;
  return exp > now && exp <= iat + MAX_LIFETIME && iat <= now + FUTURE_SKEW;
}

function formOf(request: LabRequest): URLSearchParams {
  return new URLSearchParams(request.text);
}

function oauthError(error: string, error_description: string): Answer {
  return json(STATUS[error] ?? 400, { error, error_description }, error);
}

function json(status: number, body: object, reason?: string): Answer {
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-cache, no-store" };
  const answer = { status, headers, body: JSON.stringify(body, null, 2) };
  return reason === undefined ? answer : { ...answer, reason };
}

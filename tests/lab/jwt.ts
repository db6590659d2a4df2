// Looking into a JWT without believing it, and reading the Authorization header.

import { decodeJwt, decodeProtectedHeader } from "jose";

export interface JwtParts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

export function jwtParts(jwt: string): JwtParts | undefined {
  try {
    return { header: { ...decodeProtectedHeader(jwt) }, claims: decodeJwt(jwt) };
  } catch {
    return undefined;
  }
}

/** Token and key of an Authorization header with VAPID (RFC 8292 section 3). */
export function vapid(authorization: string | undefined): { readonly t: string; readonly k: string } | undefined {
  if (authorization === undefined || !/^vapid /i.test(authorization)) return undefined;
  const parameters = new Map(
    authorization.slice(6).split(",").map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
  const [t, k] = [parameters.get("t"), parameters.get("k")];
  return t && k ? { t, k } : undefined;
}

/** The token of a bearer Authorization header (RFC 6750 section 2.1; the scheme's case does not matter, RFC 9110 11.1). */
export function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
  return authorization.slice(7).trim() || undefined;
}

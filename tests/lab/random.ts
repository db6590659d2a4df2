// Ids in the alphabets the vendors use.

import { randomBytes } from "node:crypto";

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Apple's team and key ids: ten capital letters and digits. */
export function upperId(length: number): string {
  return Array.from(randomBytes(length), (byte) => UPPER[byte % UPPER.length]).join("");
}

export function digits(length: number): string {
  return Array.from(randomBytes(length), (byte) => byte % 10).join("");
}

export function hex(length: number): string {
  return randomBytes(Math.ceil(length / 2)).toString("hex").slice(0, length);
}

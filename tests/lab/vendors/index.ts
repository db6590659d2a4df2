// All vendors the lab plays. A new one is a module beside these and a line here.

import { apns } from "./apns.ts";
import { fcm } from "./fcm.ts";
import { GoogleAccounts } from "./google_accounts.ts";
import { googleOauth } from "./google_oauth.ts";
import type { Vendor, World } from "./vendor.ts";
import { webpush } from "./webpush.ts";

export function allVendors(world: World): readonly Vendor[] {
  const google = new GoogleAccounts();
  return [apns(world), webpush(world), fcm(world, google), googleOauth(world, google)];
}

// All vendors the lab plays. A new one is a module beside these and a line here.

import { apns } from "./apns.ts";
import { fcm } from "./fcm.ts";
import { GoogleAccounts } from "./google_accounts.ts";
import { googleOauth } from "./google_oauth.ts";
import { harmony } from "./harmony.ts";
import { honor } from "./honor.ts";
import { huawei } from "./huawei.ts";
import { jpush } from "./jpush.ts";
import { meizu } from "./meizu.ts";
import { oppo } from "./oppo.ts";
import type { Vendor, World } from "./vendor.ts";
import { vivo } from "./vivo.ts";
import { webpush } from "./webpush.ts";
import { xiaomi } from "./xiaomi.ts";

export function allVendors(world: World): readonly Vendor[] {
  const google = new GoogleAccounts();
  const makers = [harmony, huawei, honor, xiaomi, oppo, vivo, meizu, jpush].map((vendor) => vendor(world));
  return [apns(world), webpush(world), fcm(world, google), googleOauth(world, google), ...makers];
}

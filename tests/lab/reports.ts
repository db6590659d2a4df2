// What vendors post later, in each vendor's own form: the body of receipts about tokens of messages.

export interface Report {
  /** Our own name of the message, as the vendor carried it along. */
  readonly param: string;
  readonly targets: readonly string[];
  /** In the vendor's own word. */
  readonly event: string;
  /** The vendor's name of the message; made up where it is not given. */
  readonly id?: string;
  /** Whose message it was, as the vendor names it. */
  readonly account?: string;
  /** When it was so, milliseconds; now, if it is not said. Meizu names no time. */
  readonly at?: number;
}

export interface Posted {
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Form {
  readonly make: (reports: readonly Report[], now: number) => Posted;
  /** The name a report has in a body, which is there once. */
  readonly key?: (report: Report, n: number) => string;
  /** Most tokens of a body, each of which is an entry of its own. */
  readonly most?: number;
}

const json = (value: unknown): Posted => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
const form = (fields: Record<string, string>): Posted => ({
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields).toString(),
});

const statuses = (one: (event: number, report: Report, now: number) => object): Form => ({
  make: (reports, now) =>
    json({
      statuses: reports.flatMap((report) =>
        report.targets.map((token) => ({ token, biTag: report.param, requestId: report.id ?? "r1", ...one(Number(report.event), report, report.at ?? now) })),
      ),
    }),
  most: 100,
});

const byKey = (key: (report: Report, n: number) => string, wrap: (object: object) => Posted, one: (report: Report, now: number) => object): Form => ({
  make: (reports, now) => wrap(Object.fromEntries(reports.map((report, n) => [key(report, n), one(report, report.at ?? now)]))),
  key,
});

const FORMS: Readonly<Record<string, Form>> = {
  // Version 1; only version 2 is for messages of API v3.
  huawei: statuses((status, { account = "1" }, timestamp) => ({ appid: account, status, timestamp })),
  harmony: statuses((result, _report, timestamp) => ({ pushType: 0, appPackageName: "com.example.app", deliveryStatus: { result, timestamp } })),
  honor: statuses((status, { account = "1" }, timestamp) => ({ appid: account, status, timestamp })),
  xiaomi: byKey(
    ({ id }, n) => id ?? `sdm${n}`,
    (object) => form({ data: JSON.stringify(object) }),
    ({ param, targets, event }, timestamp) => ({ type: Number(event), param, targets: targets.join(","), timestamp }),
  ),
  oppo: {
    make: (reports, now) =>
      json(
        reports.map(({ param, targets, event, id, account = "a1", at = now }, n) => {
          const messageId = id ?? `m${n}`;
          return { messageId, appId: account, taskId: messageId, registrationIds: targets.join(","), eventTime: String(at), param, eventType: event };
        }),
      ),
  },
  vivo: byKey(
    ({ id }, n) => id ?? `9000${n}`,
    json,
    ({ param, targets, event }, ackTime) => ({ param, targets: targets.join(","), ackType: event, ackTime, subCode: 0 }),
  ),
  meizu: byKey(
    ({ id, event }, n) => `${id ?? `NS${n}`}-${event}`,
    (object) => form({ cb: JSON.stringify(object), access_token: "demo" }),
    ({ param, targets, event }) => ({ param, type: Number(event), targets }),
  ),
};

/** The vendors that report. */
export const REPORTING = Object.keys(FORMS);

function formOf(vendor: string): Form {
  const found = FORMS[vendor];
  if (found === undefined) throw new Error(`${vendor} does not report`);
  return found;
}

/** The request with which a vendor reports. */
export function report(vendor: string, reports: readonly Report[], now = Date.now()): Posted {
  return formOf(vendor).make(reports, now);
}

/** As few requests as the vendor's form allows. */
export function batches(vendor: string, reports: readonly Report[], now: number): Posted[] {
  const { make, key, most } = formOf(vendor);
  const entries = most === undefined ? reports : reports.flatMap((one) => one.targets.map((token) => ({ ...one, targets: [token] })));
  const bodies: { reports: Report[]; keys: Set<string> }[] = [];
  for (const entry of entries) {
    const name = key?.(entry, bodies.length);
    let body = bodies.find(({ reports: { length }, keys }) => length < (most ?? Infinity) && (name === undefined || !keys.has(name)));
    if (body === undefined) bodies.push((body = { reports: [], keys: new Set() }));
    body.reports.push(entry);
    if (name !== undefined) body.keys.add(name);
  }
  return bodies.map((body) => make(body.reports, now));
}

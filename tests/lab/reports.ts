// What vendors post later, in each vendor's own form: the body of a receipt about tokens of one message.

export interface Report {
  /** Our own name of the message, as the vendor carried it along. */
  readonly param: string;
  readonly targets: readonly string[];
  /** In the vendor's own word. */
  readonly event: string;
  /** When it was so, milliseconds; now, if it is not said. Meizu names no time. */
  readonly at?: number;
}

export interface Posted {
  readonly headers: Record<string, string>;
  readonly body: string;
}

const json = (value: unknown): Posted => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
const form = (fields: Record<string, string>): Posted => ({
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields).toString(),
});

const statuses = (reports: readonly Report[], one: (event: number, at: number) => object): Posted =>
  json({ statuses: reports.flatMap(({ param, targets, event, at = Date.now() }) => targets.map((token) => ({ token, biTag: param, requestId: "r1", ...one(Number(event), at) }))) });

const FORMS: Record<string, (reports: readonly Report[]) => Posted> = {
  huawei: (reports) => statuses(reports, (status, timestamp) => ({ appid: "1", status, timestamp })),
  harmony: (reports) => statuses(reports, (result, timestamp) => ({ pushType: 0, deliveryStatus: { result, timestamp } })),
  honor: (reports) => statuses(reports, (status, timestamp) => ({ appid: "1", status, timestamp })),
  xiaomi: (reports) =>
    form({ data: JSON.stringify(Object.fromEntries(reports.map(({ param, targets, event, at = Date.now() }, n) => [`sdm${n}`, { type: Number(event), param, targets: targets.join(","), timestamp: at }]))) }),
  oppo: (reports) =>
    json(reports.map(({ param, targets, event, at = Date.now() }, n) => ({ messageId: `m${n}`, appId: "a1", taskId: `m${n}`, registrationIds: targets.join(","), eventTime: String(at), param, eventType: event }))),
  vivo: (reports) =>
    json(Object.fromEntries(reports.map(({ param, targets, event, at = Date.now() }, n) => [`9000${n}`, { param, targets: targets.join(","), ackType: event, ackTime: at, subCode: 0 }]))),
  meizu: (reports) =>
    form({ cb: JSON.stringify(Object.fromEntries(reports.map(({ param, targets, event }, n) => [`NS${n}-${event}`, { param, type: Number(event), targets }]))), access_token: "demo" }),
};

/** The vendors that report. */
export const REPORTING = Object.keys(FORMS);

/** The request with which a vendor reports. */
export function report(vendor: string, reports: readonly Report[]): Posted {
  const make = FORMS[vendor];
  if (make === undefined) throw new Error(`${vendor} does not report`);
  return make(reports);
}

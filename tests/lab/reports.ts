// What vendors post later, in each vendor's own form: the body of a receipt about tokens of one message.

export interface Report {
  /** Our own name of the message, as the vendor carried it along. */
  readonly param: string;
  readonly targets: readonly string[];
  /** In the vendor's own word. */
  readonly event: string;
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

const statuses = (reports: readonly Report[], one: (event: number) => object): Posted =>
  json({ statuses: reports.flatMap(({ param, targets, event }) => targets.map((token) => ({ token, biTag: param, requestId: "r1", ...one(Number(event)) }))) });

const FORMS: Record<string, (reports: readonly Report[]) => Posted> = {
  huawei: (reports) => statuses(reports, (status) => ({ appid: "1", status, timestamp: Date.now() })),
  harmony: (reports) => statuses(reports, (result) => ({ pushType: 0, deliveryStatus: { result, timestamp: Date.now() } })),
  honor: (reports) => statuses(reports, (status) => ({ appid: "1", status, timestamp: Date.now() })),
  xiaomi: (reports) =>
    form({ data: JSON.stringify(Object.fromEntries(reports.map(({ param, targets, event }, n) => [`sdm${n}`, { type: Number(event), param, targets: targets.join(","), timestamp: Date.now() }]))) }),
  oppo: (reports) =>
    json(reports.map(({ param, targets, event }, n) => ({ messageId: `m${n}`, appId: "a1", taskId: `m${n}`, registrationIds: targets.join(","), eventTime: String(Date.now()), param, eventType: event }))),
  vivo: (reports) =>
    json(Object.fromEntries(reports.map(({ param, targets, event }, n) => [`9000${n}`, { param, targets: targets.join(","), ackType: event, ackTime: Date.now(), subCode: 0 }]))),
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

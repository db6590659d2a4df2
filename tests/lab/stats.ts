// Totals since the start or the last reset.

export interface VendorStats {
  requests: number;
  by_status: Record<string, number>;
  by_reason: Record<string, number>;
  /** Different credentials seen: provider tokens, access tokens, assertions. */
  credentials: number;
  max_concurrent: number;
}

export interface Stats {
  requests: number;
  max_concurrent: number;
  /** Access tokens Google's endpoint has handed out. */
  oauth_tokens_issued: number;
  vendors: Record<string, VendorStats>;
  /** Of this process, in microseconds. */
  cpu: { user: number; system: number };
  uptime: number;
}

class Counter {
  requests = 0;
  now = 0;
  max = 0;
  readonly statuses = new Map<number, number>();
  readonly reasons = new Map<string, number>();
  readonly credentials = new Set<string>();

  enter(): void {
    this.requests += 1;
    this.now += 1;
    if (this.now > this.max) this.max = this.now;
  }

  leave(): void {
    this.now -= 1;
  }

  /** Requests still under way stay counted, or leaving would take the number below zero. */
  reset(): void {
    this.requests = 0;
    this.max = this.now;
    this.statuses.clear();
    this.reasons.clear();
    this.credentials.clear();
  }
}

export class StatsBook {
  readonly #all = new Counter();
  readonly #vendors = new Map<string, Counter>();

  enter(vendor: string): void {
    this.#all.enter();
    this.#of(vendor).enter();
  }

  leave(vendor: string): void {
    this.#all.leave();
    this.#of(vendor).leave();
  }

  answered(vendor: string, status: number, reason: string | undefined): void {
    const { statuses, reasons } = this.#of(vendor);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }

  credentialSeen(vendor: string, credential: string): void {
    this.#of(vendor).credentials.add(credential);
  }

  reset(): void {
    this.#all.reset();
    for (const counter of this.#vendors.values()) counter.reset();
  }

  read(): Stats {
    const vendors: Record<string, VendorStats> = {};
    for (const [name, counter] of this.#vendors) {
      vendors[name] = {
        requests: counter.requests,
        by_status: Object.fromEntries(counter.statuses),
        by_reason: Object.fromEntries(counter.reasons),
        credentials: counter.credentials.size,
        max_concurrent: counter.max,
      };
    }
    return {
      requests: this.#all.requests,
      max_concurrent: this.#all.max,
      oauth_tokens_issued: vendors["google_oauth"]?.by_status["200"] ?? 0,
      vendors,
      cpu: process.cpuUsage(),
      uptime: process.uptime(),
    };
  }

  #of(vendor: string): Counter {
    let counter = this.#vendors.get(vendor);
    if (counter === undefined) this.#vendors.set(vendor, (counter = new Counter()));
    return counter;
  }
}

// The phones the vendors know something particular about. Any other well-formed token is alive.

export interface TokenState {
  state: string;
  /** Milliseconds; APNs names the moment in its 410 answers. */
  timestamp?: number;
  environment?: "production" | "sandbox";
  topic?: string;
}

export class Tokens {
  readonly #states = new Map<string, TokenState>();

  get(vendor: string, token: string): TokenState | undefined {
    return this.#states.size === 0 ? undefined : this.#states.get(`${vendor} ${token}`);
  }

  set(vendor: string, token: string, state: TokenState): void {
    this.#states.set(`${vendor} ${token}`, state);
  }

  clear(): void {
    this.#states.clear();
  }
}

// Readers for what callers of the control API send. Everything is checked once at the door; a mistake is an
// InputError, which the control API answers with 400 and the sentence given here.

export class InputError extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown, what: string, allowed: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(`${what} must be a JSON object`);
  }
  for (const name of Object.keys(value)) {
    if (!allowed.includes(name)) throw new InputError(`${what} has no field "${name}"; it takes ${allowed.join(", ")}`);
  }
  return value as Fields;
}

export function optionalText(from: Fields, name: string): string | undefined {
  const value = from[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") throw new InputError(`"${name}" must be a non-empty string`);
  return value;
}

export function text(from: Fields, name: string): string {
  const value = optionalText(from, name);
  if (value === undefined) throw new InputError(`"${name}" is missing`);
  return value;
}

export function optionalTexts(from: Fields, name: string): readonly string[] | undefined {
  const value = from[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0 || value.some((item) => typeof item !== "string" || item === "")) {
    throw new InputError(`"${name}" must be a non-empty array of strings`);
  }
  return value as string[];
}

export function integer(from: Fields, name: string, least: number, fallback: number): number {
  const value = from[name];
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw new InputError(`"${name}" must be a whole number, at least ${least}`);
  }
  return value as number;
}

// The JSON-to-proto layer in front of Google's APIs: JSON is matched against a message description, names may be
// snake_case or lowerCamelCase, and what does not fit is reported all at once, in Google's words.
// Page: protobuf.dev/programming-guides/json. The wording is from memory (unverified).

import type { Violation } from "./google_error.ts";

type Scalar = "string" | "bool" | "int32" | "float" | "duration" | "timestamp" | "struct" | "string_map";

export type Kind =
  | Scalar
  | { readonly list: Kind }
  | { readonly enum: string; readonly values: ReadonlySet<string> }
  | MessageKind;

export interface MessageKind {
  readonly message: string;
  /** Both spellings of each name. */
  readonly fields: ReadonlyMap<string, { readonly name: string; readonly kind: Kind }>;
}

export type JsonObject = { readonly [name: string]: unknown };

const TYPE_PREFIX = "type.googleapis.com/";

export function message(type: string, described: Readonly<Record<string, Kind>>): MessageKind {
  const fields = new Map<string, { name: string; kind: Kind }>();
  for (const [name, kind] of Object.entries(described)) {
    fields.set(name, { name, kind });
    fields.set(name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), { name, kind });
  }
  return { message: type, fields };
}

export function oneOfEnum(type: string, ...values: string[]): Kind {
  return { enum: type, values: new Set(values) };
}

/** The value with snake_case names. What does not fit goes to `violations` and is left out of the result. */
export function read(value: unknown, kind: Kind, path: string, violations: Violation[]): unknown {
  if (typeof kind === "string") return readScalar(value, kind, path, violations);
  if ("list" in kind) {
    // Google takes a single value where a list belongs.
    const items = Array.isArray(value) ? value : [value];
    return items.map((item, index) => read(item, kind.list, `${path}[${index}]`, violations));
  }
  if ("enum" in kind) return readEnum(value, kind.enum, kind.values, path, violations);
  return readMessage(value, kind, path, violations);
}

function readMessage(value: unknown, kind: MessageKind, path: string, violations: Violation[]): JsonObject {
  const result: Record<string, unknown> = {};
  if (!isObject(value)) {
    invalid(violations, path, TYPE_PREFIX + kind.message, value);
    return result;
  }
  for (const [name, member] of Object.entries(value)) {
    const field = kind.fields.get(name);
    if (field === undefined) {
      const where = path === "" ? "" : ` at '${path}'`;
      const description = `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}${where}: Cannot find field.`;
      violations.push(path === "" ? { description } : { field: path, description });
      continue;
    }
    if (member === null) continue; // null is "not set" in proto JSON
    result[field.name] = read(member, field.kind, path === "" ? field.name : `${path}.${field.name}`, violations);
  }
  return result;
}

function readScalar(value: unknown, kind: Scalar, path: string, violations: Violation[]): unknown {
  switch (kind) {
    case "string":
      if (typeof value !== "string") invalid(violations, path, "TYPE_STRING", value);
      return value;
    case "bool":
      if (typeof value !== "boolean") invalid(violations, path, "TYPE_BOOL", value);
      return value;
    case "int32":
      if (!isNumeric(value) || !Number.isInteger(Number(value)) || Math.abs(Number(value)) > 2 ** 31) {
        invalid(violations, path, "TYPE_INT32", value);
      }
      return Number(value);
    case "float":
      if (!isNumeric(value)) invalid(violations, path, "TYPE_FLOAT", value);
      return Number(value);
    case "duration":
      if (typeof value !== "string" || !/^-?\d{1,12}(\.\d{1,9})?s$/.test(value)) {
        const reason = "Illegal duration format; duration must end with 's'";
        invalid(violations, path, `${TYPE_PREFIX}google.protobuf.Duration`, undefined, reason);
      }
      return value;
    case "timestamp":
      if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value)) {
        invalid(violations, path, `${TYPE_PREFIX}google.protobuf.Timestamp`, value);
      }
      return value;
    case "struct":
      if (!isObject(value)) invalid(violations, path, `${TYPE_PREFIX}google.protobuf.Struct`, value);
      return value;
    case "string_map":
      if (!isObject(value)) {
        invalid(violations, path, "Map", value);
        return {};
      }
      Object.values(value).forEach((member, index) => read(member, "string", `${path}[${index}].value`, violations));
      return value;
  }
}

// The live API takes enum names in any letter case: Google's own Admin SDK sends "high".
function readEnum(value: unknown, type: string, values: ReadonlySet<string>, path: string, violations: Violation[]): unknown {
  const name = typeof value === "string" ? value.toUpperCase() : value;
  const known = typeof name === "string" ? values.has(name) : Number.isInteger(name) && (name as number) < values.size;
  if (!known) invalid(violations, path, TYPE_PREFIX + type, value);
  return name;
}

function invalid(violations: Violation[], path: string, type: string, value: unknown, reason?: string): void {
  const description = `Invalid value at '${path}' (${type}), ${reason ?? JSON.stringify(value)}`;
  violations.push({ field: path, description });
}

function isNumeric(value: unknown): boolean {
  return (typeof value === "number" || (typeof value === "string" && value !== "")) && Number.isFinite(Number(value));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

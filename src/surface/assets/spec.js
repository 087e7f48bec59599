// The OpenAPI document as a list of operations, and what schemas say.

const METHODS = ["get", "post", "put", "patch", "delete"];

export class Spec {
  constructor(document) {
    this.document = document;
    this.operations = [];
    for (const [path, item] of Object.entries(document.paths ?? {}))
      for (const method of METHODS)
        if (item[method]) this.operations.push(this.operation(path, method, item[method]));
    this.tags = (document.tags ?? []).map((tag) => ({
      ...tag,
      operations: this.operations.filter((op) => op.tag === tag.name),
    })).filter((tag) => tag.operations.length > 0);
  }

  operation(path, method, raw) {
    return {
      ...raw,
      path,
      method,
      id: raw.operationId,
      tag: raw.tags?.[0],
      parameters: (raw.parameters ?? []).map((p) => this.resolve(p)),
      bodies: raw.requestBody?.content ?? {},
      needsKey: (raw.security ?? []).length > 0,
      words: `${raw.operationId} ${raw.summary} ${path} ${method} ${raw.description ?? ""} ${raw["x-step"] ?? ""}`.toLowerCase(),
    };
  }

  // A $ref's target, with the siblings of the reference laid over it.
  resolve(node) {
    if (!node?.$ref) return node;
    const { $ref, ...over } = node;
    let at = this.document;
    for (const part of $ref.slice(2).split("/")) at = at?.[part];
    return { ...this.resolve(at), ...over };
  }

  // {name: schema} of an object, allOf merged.
  properties(schema) {
    const whole = this.resolve(schema) ?? {};
    let all = { ...(whole.properties ?? {}) };
    for (const part of whole.allOf ?? []) all = { ...all, ...this.properties(part) };
    return all;
  }
}

export function typeName(spec, schema) {
  const name = schema?.$ref?.split("/").pop();
  const s = spec.resolve(schema) ?? {};
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(" | ");
  if (s.oneOf || s.anyOf) return (s.oneOf ?? s.anyOf).map((o) => typeName(spec, o)).join(" | ");
  if (s.type === "array") return `list of ${typeName(spec, s.items ?? {})}`;
  if (name) return name;
  const type = Array.isArray(s.type) ? s.type.join(" or ") : s.type ?? "anything";
  return s.format ? `${type} (${s.format})` : type;
}

// "1 to 16384 px, default 82"
export function rangeText(schema) {
  const parts = [];
  const unit = schema["x-unit"] ? ` ${schema["x-unit"]}` : "";
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    parts.push(`${schema.minimum} to ${schema.maximum}${unit}`);
  else if (schema.minimum !== undefined) parts.push(`at least ${schema.minimum}${unit}`);
  else if (schema.maximum !== undefined) parts.push(`at most ${schema.maximum}${unit}`);
  else if (unit) parts.push(`in${unit}`);
  if (schema.default !== undefined && schema.default !== false)
    parts.push(`default ${typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default)}`);
  if (schema.type === "array" && schema.items?.type === "string" && schema.items.format !== "binary") parts.push("several, joined by commas");
  if (schema.type === "array" && schema.items?.format === "binary" && schema.maxItems) parts.push(`up to ${schema.maxItems} files`);
  if (schema["x-since"]) parts.push(`since ${schema["x-since"]}`);
  if (schema["x-replaced-by"]) parts.push(`use ${schema["x-replaced-by"]} instead`);
  return parts.join(", ");
}

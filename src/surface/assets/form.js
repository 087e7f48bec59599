// Controls from schemas, and their values back. A control that is left alone sends nothing.

import { el, markdown } from "./dom.js";
import { rangeText } from "./spec.js";

function isBinary(schema) {
  return schema.format === "binary" || schema.items?.format === "binary";
}

const LONG_TEXT = 2000; // what may be longer gets more than a line

// Typed as JSON because no simpler control fits.
function isJson(schema) {
  if (schema.enum || isBinary(schema)) return false;
  if (schema.type === "array") return schema.items?.type !== "string";
  return !["boolean", "integer", "number", "string"].includes(schema.type);
}

function control(schema, id, describedBy) {
  const common = { id, "aria-describedby": describedBy, autocomplete: "off" };
  if (isBinary(schema)) return el("input", { ...common, type: "file", multiple: schema.type === "array" });
  if (schema.enum) {
    const options = [el("option", { value: "" }, schema.default !== undefined ? `${schema.default} (default)` : "—")];
    for (const value of schema.enum.filter((v) => v !== null && v !== schema.default)) options.push(el("option", { value }, value));
    return el("select", common, options);
  }
  switch (schema.type) {
    case "boolean":
      return el("input", { ...common, type: "checkbox" });
    case "integer":
    case "number":
      return el("input", {
        ...common, type: "number", step: schema.type === "integer" ? 1 : "any", min: schema.minimum, max: schema.maximum,
        placeholder: schema.default ?? schema.examples?.[0],
      });
    case "string":
      if (!schema.writeOnly && !schema.default && schema.maxLength >= LONG_TEXT)
        return el("textarea", { ...common, class: "prose", placeholder: schema.examples?.[0], maxlength: schema.maxLength });
      return el("input", {
        ...common, type: schema.writeOnly ? "password" : "text", spellcheck: "false",
        placeholder: schema.default ?? schema.examples?.[0], maxlength: schema.maxLength,
      });
    case "array":
      if (schema.items?.type === "string")
        return el("input", { ...common, type: "text", spellcheck: "false", placeholder: schema.examples?.[0]?.join?.(", ") ?? "a, b" });
  }
  return el("textarea", { ...common, spellcheck: "false", placeholder: "JSON" });
}

export class Field {
  constructor(name, schema, required, place) {
    this.name = name;
    this.schema = schema;
    this.required = required;
    this.place = place; // "path", "query", "header" or "body"
    const id = `${place}-${name}`;
    this.input = control(schema, id, `${id}-hint`);
    this.fault = el("p", { class: "fault", role: "alert", hidden: true });
    const choices = Object.entries(schema["x-choices"] ?? {}).filter(([, help]) => help);
    this.node = el("div", { class: `field${schema.deprecated ? " deprecated" : ""}` },
      el("label", { class: "name", for: id }, name, required ? el("span", { class: "needs", title: "required" }, " *") : null),
      el("div", null,
        schema["x-unit"] ? el("div", { class: "with-unit" }, this.input, el("span", { class: "quiet" }, schema["x-unit"])) : this.input,
        el("div", { class: "hint", id: `${id}-hint` }, markdown(schema.description),
          rangeText(schema) ? el("p", null, rangeText(schema)) : null,
          choices.length > 0 ? el("details", null, el("summary", null, "What the choices mean"),
            el("dl", null, choices.map(([choice, help]) => [el("dt", null, el("code", null, choice)), el("dd", null, help)]))) : null),
        this.fault));
  }

  isFile() {
    return isBinary(this.schema);
  }

  files() {
    return [...this.input.files];
  }

  // The value as JSON would say it; undefined when nothing was given.
  value() {
    if (this.input.type === "checkbox") return this.input.checked || undefined;
    const text = this.input.value;
    if (text === "") return undefined;
    if (this.schema.type === "integer" || this.schema.type === "number") return Number(text);
    if (this.schema.type === "array" && this.schema.items?.type === "string")
      return text.split(",").map((t) => t.trim()).filter(Boolean);
    return isJson(this.schema) ? JSON.parse(text) : text;
  }

  // The value as a query string or form field says it.
  text() {
    const v = this.value();
    if (v === undefined) return undefined;
    return Array.isArray(v) && v.every((i) => typeof i === "string") ? v.join(",") : typeof v === "object" ? JSON.stringify(v) : String(v);
  }

  set(value) {
    if (this.isFile()) return;
    if (this.schema.enum && value === this.schema.default) value = "";
    if (this.input.type === "checkbox") this.input.checked = Boolean(value);
    else if (Array.isArray(value) && !isJson(this.schema)) this.input.value = value.join(", ");
    else this.input.value = typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : value ?? "";
  }

  complain(text) {
    this.fault.textContent = text ?? "";
    this.fault.hidden = !text;
    if (text) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  // What the browser knows to be wrong before anything is sent.
  check() {
    let fault = null;
    try {
      const given = this.isFile() ? this.input.files.length > 0 : this.value() !== undefined;
      if (this.required && !given) fault = "is required";
      else if (!this.input.checkValidity()) fault = this.input.validationMessage;
    } catch {
      fault = "is not valid JSON";
    }
    this.complain(fault);
    return fault === null;
  }
}

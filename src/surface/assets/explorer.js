// The page: list of operations, search, one operation at a time, chosen by the address (#id).

import { copyable, el, markdown } from "./dom.js";
import { Field } from "./form.js";
import { buildRequest, send } from "./call.js";
import { Spec, typeName } from "./spec.js";

const $ = (id) => document.getElementById(id);
let spec = null;

// Theme and key

function startTheme() {
  const root = document.documentElement;
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = localStorage.getItem("theme") ?? "";
  if (!root.dataset.theme) delete root.dataset.theme;
  $("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

function startKey() {
  $("key").value = sessionStorage.getItem("key") ?? "";
  $("key").addEventListener("input", () => sessionStorage.setItem("key", $("key").value.trim()));
}

// The list

function listItem(op) {
  return el("li", { "data-words": op.words },
    el("a", { href: `#${op.id}`, "data-id": op.id }, el("span", { class: `method ${op.method}` }, op.method.toUpperCase()),
      el("span", null, op["x-step"] ?? op.summary)));
}

function drawList() {
  $("operations").replaceChildren(...spec.tags.map((tag) =>
    el("section", { "data-tag": tag.name }, el("h2", { title: tag.description }, tag.name),
      el("ul", null, tag.operations.map(listItem)))));
}

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of $("operations").children) {
    let any = false;
    for (const item of section.querySelectorAll("li")) {
      item.hidden = !words.every((word) => item.dataset.words.includes(word));
      any ||= !item.hidden;
      shown += item.hidden ? 0 : 1;
    }
    section.hidden = !any;
  }
  $("count").textContent = words.length > 0 ? `${shown} of ${spec.operations.length} operations` : "";
}

function openMenu(open) {
  $("menu").closest("nav").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

function startKeyboard() {
  const links = () => [...$("operations").querySelectorAll("li:not([hidden]) a")].filter((a) => !a.closest("section").hidden);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("search").focus();
    }
    const inList = document.activeElement === $("search") || $("operations").contains(document.activeElement);
    if (!inList || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const all = links();
    const now = all.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? now + 1 : now - 1;
    event.preventDefault();
    if (next < 0) $("search").focus();
    else all[Math.min(next, all.length - 1)]?.focus();
  });
  $("search").addEventListener("input", () => {
    openMenu(true);
    search();
  });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") links()[0]?.click();
    if (event.key === "Escape") {
      $("search").value = "";
      search();
    }
  });
  $("menu").addEventListener("click", () => openMenu(!$("menu").closest("nav").classList.contains("open")));
}

// One operation

// The body's fields: of the form when files are taken, else of the JSON object. A step's parameters stand in "params".
function bodyFields(op) {
  const yaml = op.bodies["application/yaml"]?.schema;
  const json = op.bodies["application/json"]?.schema;
  const named = op.bodies["multipart/form-data"]?.schema;
  const form = named && Object.keys(spec.properties(spec.resolve(named))).length > 0 ? named : undefined;
  if (yaml) return [wholeField("text", yaml, "application/yaml")];
  if (json && Object.keys(json).length === 0) return [wholeField("value", { description: "Any JSON value." }, "application/json")];
  const schema = spec.resolve(form ?? json);
  if (!schema) return [];
  const required = new Set(schema.required ?? []);
  const fields = [];
  for (const [name, part] of Object.entries(spec.properties(schema))) {
    const whole = spec.resolve(part);
    if (!form && name === "params" && op["x-step"]) {
      const needs = new Set(whole.required ?? []);
      for (const [inner, innerSchema] of Object.entries(spec.properties(whole))) {
        const field = new Field(inner, spec.resolve(innerSchema), needs.has(inner), "body");
        field.group = "params";
        fields.push(field);
      }
    } else if (!isOption(op, name)) {
      fields.push(new Field(name, whole, required.has(name), "body"));
    }
  }
  return fields;
}

// A body that is one value instead of fields.
function wholeField(name, schema, type) {
  const field = new Field(name, schema, type === "application/yaml", "body");
  field.whole = type;
  return field;
}

// How a step or a pipeline is to be run stands in its query; the form need not show it twice.
function isOption(op, name) {
  if (name !== "inputs" && op.path.match(/\/pipelines\/.*\/run$|\/replay$/)) return true;
  return op["x-step"] !== undefined && op.parameters.some((p) => p.in === "query" && p.name === name) &&
    !(name in spec.properties({ $ref: `#/components/schemas/${op["x-step"]}.params` }));
}

function parameterFields(op) {
  const inBody = op["x-step"] ? spec.properties({ $ref: `#/components/schemas/${op["x-step"]}.params` }) : {};
  return op.parameters.filter((p) => !(p.in === "query" && p.name in inBody)).map((p) => {
    const schema = spec.resolve(p.schema ?? p.content?.["application/json"]?.schema ?? {});
    return new Field(p.name, { ...schema, description: p.description ?? schema.description, deprecated: p.deprecated }, p.required, p.in);
  });
}

function exampleButtons(op, fields) {
  const examples = Object.values(op.bodies["application/json"]?.examples ?? {});
  return examples.map((example) => el("button", {
    type: "button",
    title: example["x-input"] ? `Made for the file ${example["x-input"]}` : null,
    onclick: () => {
      for (const f of fields.filter((field) => field.place === "body")) f.set(example.value?.params?.[f.name]);
    },
  }, example.summary));
}

function tryCard(op) {
  const body = bodyFields(op);
  const parameters = parameterFields(op);
  const fields = [...parameters, ...body];
  const own = [...parameters.filter((f) => f.place === "path"), ...body, ...parameters.filter((f) => f.place === "query" && !op["x-step"])];
  const rest = fields.filter((f) => !own.includes(f));
  const answer = el("div", { class: "answer", "aria-live": "polite" });
  const curl = el("pre", { tabindex: "0" });
  const go = el("button", { class: "go", type: "submit" }, "Send");
  const stop = el("button", { type: "button", hidden: true }, "Stop");
  const request = (shown) => buildRequest(op, fields, $("key").value.trim(), shown);
  const drawCurl = () => {
    try {
      curl.textContent = request("$PLATEN_KEY").shown;
    } catch {
      curl.textContent = "A field holds no valid JSON.";
    }
  };
  const form = el("form", { novalidate: true, oninput: drawCurl, onsubmit: (event) => {
    event.preventDefault();
    run();
  } },
    own.length > 0 ? el("fieldset", null, el("legend", { class: "sr" }, "Parameters"), own.map((f) => f.node)) : null,
    rest.length > 0 ? el("details", null, el("summary", null, op["x-step"] ? "How to run it" : "More"), rest.map((f) => f.node)) : null,
    el("div", { class: "actions" }, go, stop, exampleButtons(op, fields).map((button) => {
      button.addEventListener("click", drawCurl);
      return button;
    })));

  async function run() {
    const good = fields.map((f) => f.check());
    const first = fields.find((f, i) => !good[i]);
    if (first) {
      first.node.closest("details")?.setAttribute("open", "");
      first.input.focus();
      return;
    }
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    stop.hidden = false;
    go.disabled = true;
    const result = await send(request(""), answer, abort.signal);
    stop.hidden = true;
    go.disabled = false;
    for (const fault of result?.answer?.errors ?? [])
      fields.find((f) => f.name === fault.param)?.complain(fault.detail);
    if (!result?.ok && op.needsKey && !$("key").value)
      answer.append(el("p", { class: "notice" }, "This operation needs a key: enter it at the top."));
  }

  drawCurl();
  return [el("div", { class: "card" }, form), el("div", { class: "copy" }, curl, copyable(() => curl.textContent)),
    el("h2", null, "Answer"), answer];
}

function fieldRows(schema, depth) {
  const required = new Set(spec.resolve(schema)?.required ?? []);
  return Object.entries(spec.properties(schema)).flatMap(([name, part]) => {
    const whole = spec.resolve(part);
    const inner = whole?.type === "array" ? whole.items : part;
    const more = depth < 3 && Object.keys(spec.properties(inner)).length > 0 ? fieldRows(inner, depth + 1) : [];
    return [el("tr", null, el("td", null, "\u2003".repeat(depth), el("code", null, name)),
      el("td", null, typeName(spec, part)), el("td", null, markdown(whole?.description),
        required.size > 0 && !required.has(name) ? el("span", { class: "quiet small" }, "may be missing") : null)), ...more];
  });
}

function responses(op) {
  const rows = Object.entries(op.responses ?? {}).map(([status, raw]) => {
    const response = spec.resolve(raw);
    const types = Object.keys(response?.content ?? {});
    return el("tr", null, el("td", null, el("code", null, status)), el("td", null, markdown(response?.description)),
      el("td", { class: "quiet small" }, types.join(", ")));
  });
  const good = Object.entries(op.responses ?? {}).find(([status]) => status.startsWith("2"));
  const schema = spec.resolve(good?.[1])?.content?.["application/json"]?.schema;
  const fields = schema ? fieldRows(schema, 0) : [];
  return [el("h2", null, "Answers"),
    el("div", { class: "scroll" }, el("table", null, el("thead", null, el("tr", null, ["Status", "Meaning", "Type"].map((t) => el("th", null, t)))), el("tbody", null, rows))),
    fields.length > 0 ? [el("h2", null, `Fields of ${good[0]}`), el("div", { class: "scroll" }, el("table", null,
      el("thead", null, el("tr", null, ["Field", "Type", "Meaning"].map((t) => el("th", null, t)))), el("tbody", null, fields)))] : null];
}

function operationPage(op) {
  const types = Object.keys(op.bodies);
  return [el("h1", null, op.summary),
    el("div", { class: "line" }, el("span", { class: `method ${op.method}` }, op.method.toUpperCase()), el("span", { class: "mono" }, op.path),
      el("span", { class: "quiet small" }, op.needsKey ? `needs a key, role ${op["x-role"] ?? "any"}` : "public")),
    ...markdown(op.description),
    types.length > 0 ? el("p", { class: "quiet small" }, "Body: ", types.join(", ")) : null,
    el("h2", null, "Try it"), ...tryCard(op), ...responses(op)].flat();
}

function startPage() {
  const info = spec.document.info ?? {};
  return [el("h1", null, info.title ?? "API"), ...markdown(info.description),
    el("p", null, `${spec.operations.length} operations. `, el("a", { href: "/openapi.json" }, "openapi.json"), " is what this page reads."),
    ...spec.tags.map((tag) => el("section", null, el("h2", null, tag.name), ...markdown(tag.description),
      el("ul", null, tag.operations.map((op) => el("li", null, el("a", { href: `#${op.id}` }, op["x-step"] ?? op.summary),
        op["x-step"] ? ` — ${op.summary}` : ""))))),];
}

function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id === "main") return;
  const op = spec.operations.find((o) => o.id === id);
  for (const link of $("operations").querySelectorAll("a")) {
    if (link.dataset.id === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  $("main").replaceChildren(...(op ? operationPage(op) : startPage()).filter(Boolean));
  document.title = op ? `${op["x-step"] ?? op.summary} · ${spec.document.info?.title}` : spec.document.info?.title ?? "API";
  openMenu(false);
  if (op) {
    scrollTo(0, 0);
    $("main").focus({ preventScroll: true });
  }
}

async function start() {
  startTheme();
  startKey();
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    spec = new Spec(await response.json());
  } catch (error) {
    $("main").replaceChildren(el("h1", null, "The description could not be read"), el("p", null, `/openapi.json: ${error.message}`));
    return;
  }
  $("title").textContent = spec.document.info?.title ?? "API";
  $("version").textContent = spec.document.info?.version ?? "";
  drawList();
  startKeyboard();
  addEventListener("hashchange", show);
  show();
}

start();

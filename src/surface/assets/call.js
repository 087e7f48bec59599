// One call: put the request together, send it, show what came back.

import { bytes, copyable, el } from "./dom.js";

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// {url, method, headers, body, shown}: `shown` is the same as a curl command.
export function buildRequest(op, fields, key, keyShown) {
  let path = op.path;
  const query = new URLSearchParams();
  const headers = {};
  const curl = ["curl"];
  for (const f of fields) {
    const text = f.isFile() ? undefined : f.text();
    if (f.place === "path") path = path.replace(`{${f.name}}`, encodeURIComponent(text ?? ""));
    else if (f.place === "query" && text !== undefined) query.set(f.name, text);
    else if (f.place === "header" && text !== undefined) headers[f.name] = text;
  }
  const url = path + (query.size > 0 ? `?${query}` : "");
  if (op.method !== "get") curl.push("-X", op.method.toUpperCase());
  curl.push(quote(location.origin + url));
  if (op.needsKey && key) headers.Authorization = `Bearer ${key}`;
  for (const [name, value] of Object.entries(headers))
    curl.push("-H", name === "Authorization" ? `"Authorization: Bearer ${keyShown}"` : quote(`${name}: ${value}`));
  const body = buildBody(op, fields.filter((f) => f.place === "body"), headers, curl);
  return { url, method: op.method.toUpperCase(), headers, body, shown: curl.join(" ") };
}

function buildBody(op, fields, headers, curl) {
  if (fields.length === 0) return undefined;
  if (fields[0].whole) {
    const text = fields[0].text();
    if (text === undefined) return undefined;
    headers["Content-Type"] = fields[0].whole;
    curl.push("-H", quote(`Content-Type: ${fields[0].whole}`), "--data-binary", quote(text));
    return text;
  }
  if (fields.some((f) => f.isFile())) {
    const form = new FormData();
    for (const f of fields) {
      if (f.isFile())
        for (const file of f.files()) {
          form.append(f.name, file, file.name);
          curl.push("-F", quote(`${f.name}=@${file.name}`));
        }
      else if (f.text() !== undefined) {
        form.append(f.name, f.text());
        curl.push("-F", quote(`${f.name}=${f.schema.writeOnly ? "…" : f.text()}`));
      }
    }
    return form;
  }
  const plain = {};
  for (const f of fields) {
    const target = f.group ? (plain[f.group] ??= {}) : plain;
    if (f.value() !== undefined) target[f.name] = f.value();
  }
  const text = JSON.stringify(plain);
  headers["Content-Type"] = "application/json";
  curl.push("-H", quote("Content-Type: application/json"), "-d", quote(text));
  return text;
}

function statusClass(status) {
  return status < 300 ? "good" : status < 500 && status !== 404 ? "warn" : "bad";
}

function head(response, ms) {
  const shown = ["content-type", "location", "etag", "retry-after", "x-trace-id", "ratelimit"];
  return el("div", { class: "answer-head" },
    el("span", { class: `status ${statusClass(response.status)}` }, `${response.status} ${response.statusText}`),
    el("span", { class: "quiet small" }, `${ms} ms`),
    ...shown.filter((name) => response.headers.has(name)).map((name) =>
      el("span", { class: "quiet small" }, `${name}: ${response.headers.get(name)}`)));
}

function block(text) {
  return el("div", { class: "copy" }, el("pre", { tabindex: "0" }, text), copyable(() => text));
}

// The outputs of a job, each to be fetched with the key.
function outputs(answer, fetchFile) {
  if (!Array.isArray(answer?.outputs) || answer.outputs.length === 0 || !answer.id) return null;
  return el("ul", { class: "files" }, answer.outputs.map((file, index) =>
    el("li", null, el("button", {
      type: "button",
      onclick: () => fetchFile(`/api/v1/jobs/${encodeURIComponent(answer.id)}/outputs/${index}`, file.name),
    }, `Save ${file.name}`), el("span", { class: "quiet small" }, ` ${file.type ?? ""} ${file.bytes !== undefined ? bytes(file.bytes) : ""}`))));
}

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function showStream(response, into) {
  const pre = el("pre", { tabindex: "0" });
  into.append(pre);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = (text + decoder.decode(value, { stream: true })).slice(-200000);
    pre.textContent = text;
    pre.scrollTop = pre.scrollHeight;
  }
}

async function showBody(response, into, headers) {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return showStream(response, into);
  if (/json/.test(type)) {
    const text = await response.text();
    let answer = null;
    try {
      answer = JSON.parse(text);
    } catch {
      into.append(block(text));
      return null;
    }
    const fetchFile = async (url, name) => save(await (await fetch(url, { headers })).blob(), name);
    into.append(outputs(answer, fetchFile) ?? "", block(JSON.stringify(answer, null, 2)));
    return answer;
  }
  if (/^text\//.test(type)) {
    into.append(block(await response.text()));
    return null;
  }
  const blob = await response.blob();
  if (blob.size === 0) return null;
  if (/^image\/(png|jpeg|webp|gif|avif)/.test(type)) into.append(el("img", { src: URL.createObjectURL(blob), alt: "The answer" }));
  into.append(el("p", null, el("button", { type: "button", onclick: () => save(blob, "answer") }, `Save ${bytes(blob.size)}`)));
  return null;
}

// Sends, shows; gives back the parsed answer when it was JSON.
export async function send(request, into, signal) {
  const started = performance.now();
  into.replaceChildren(el("p", { class: "quiet" }, "Waiting for the answer …"));
  let response;
  try {
    response = await fetch(request.url, { ...request, signal, credentials: "omit" });
  } catch (error) {
    into.replaceChildren(el("p", { class: "status bad" }, signal.aborted ? "Stopped." : `No answer: ${error.message}`));
    return null;
  }
  into.replaceChildren(head(response, Math.round(performance.now() - started)));
  try {
    const { Authorization } = request.headers;
    return { ok: response.ok, answer: await showBody(response, into, Authorization ? { Authorization } : {}) };
  } catch (error) {
    into.append(el("p", { class: "quiet" }, signal.aborted ? "Stopped." : error.message));
    return null;
  }
}

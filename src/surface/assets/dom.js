// Elements by hand, text only ever as text: nothing from the server is read as HTML.

export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

// `code`, **strong** and [links](…) of one line of Markdown.
function inline(text) {
  const nodes = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
  let from = 0;
  for (const hit of text.matchAll(pattern)) {
    nodes.push(text.slice(from, hit.index));
    if (hit[1]) nodes.push(el("code", null, hit[1]));
    else if (hit[2]) nodes.push(el("strong", null, hit[2]));
    else if (/^(https?:|\/|#)/.test(hit[4])) nodes.push(el("a", { href: hit[4], rel: "noreferrer" }, hit[3]));
    else nodes.push(hit[3]);
    from = hit.index + hit[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

// Paragraphs, with hard line breaks; enough for what the tables hold.
export function markdown(text) {
  return (text ?? "").split(/\n\s*\n/).filter((p) => p.trim()).map((paragraph) => {
    const node = el("p");
    paragraph.split(/ {2}\n/).forEach((line, i) => {
      if (i > 0) node.append(el("br"));
      node.append(...inline(line.replace(/\n/g, " ")));
    });
    return node;
  });
}

export function copyable(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

export function bytes(n) {
  const units = ["B", "kB", "MB", "GB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`;
}

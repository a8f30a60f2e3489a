"use strict";
// Draws /openapi.json. Everything from the document is set as text, never as markup.

const VERBS = ["get", "post", "put", "patch", "delete"];
const MAX_DEPTH = 6;
let api;

const make = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

// `code` in descriptions, as the document writes it.
const prose = (text) =>
  (text || "").split("\n\n").map((part) =>
    make("p", {}, ...part.split("`").map((piece, place) => (place % 2 ? make("code", { textContent: piece }) : piece))));

const resolve = (node) => {
  while (node && node.$ref) {
    node = node.$ref.slice(2).split("/").reduce((at, key) => at[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
  }
  return node || {};
};

const operations = () => {
  const found = [];
  const gather = (items, kind) => {
    for (const [path, item] of Object.entries(items || {})) {
      for (const verb of VERBS) {
        if (item[verb]) found.push({ path, verb, kind, id: item[verb].operationId, ...{ op: item[verb] } });
      }
    }
  };
  gather(api.paths, "call");
  gather(api.webhooks, "webhook");
  return found;
};

const typeOf = (schema) => {
  const name = schema.$ref ? schema.$ref.split("/").pop() : "";
  const plain = resolve(schema);
  const choices = plain.anyOf || plain.oneOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (plain.enum) return plain.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (plain.const !== undefined) return JSON.stringify(plain.const);
  if (plain.type === "array") return `${typeOf(plain.items || {})}[]`;
  const kind = [].concat(plain.type || "any").join(" | ");
  return name || (plain.format ? `${kind} (${plain.format})` : kind);
};

// The object a schema is about, through arrays and choices; null for plain values.
const objectOf = (schema) => {
  const plain = resolve(schema);
  if (plain.properties) return plain;
  if (plain.items) return objectOf(plain.items);
  for (const choice of plain.anyOf || plain.oneOf || []) {
    const found = objectOf(choice);
    if (found) return found;
  }
  return null;
};

const members = (schema, depth = 0) => {
  const object = objectOf(schema);
  if (!object || depth > MAX_DEPTH) return null;
  const required = new Set(object.required || []);
  const table = make("table");
  for (const [name, member] of Object.entries(object.properties)) {
    const plain = resolve(member);
    const inner = objectOf(member);
    const words = make("td", {}, ...prose(member.description || plain.description));
    if (![undefined, null, ""].includes(plain.default)) words.append(make("span", { className: "quiet", textContent: `default ${JSON.stringify(plain.default)}` }));
    if (inner) {
      const more = make("details", {}, make("summary", { textContent: "members" }));
      more.addEventListener("toggle", () => more.children.length < 2 && more.append(members(member, depth + 1) || ""), { once: true });
      words.append(more);
    }
    table.append(make("tr", {},
      make("td", {}, make("code", { textContent: name }), required.has(name) ? "" : make("span", { className: "quiet", textContent: " optional" })),
      make("td", { className: "quiet", textContent: typeOf(member) }), words));
  }
  return table;
};

const exampleOf = (media) => {
  if (!media) return undefined;
  if (media.example !== undefined) return media.example;
  const first = Object.values(media.examples || {})[0];
  return first && first.value;
};

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

const curl = ({ path, verb, op }) => {
  const parameters = (op.parameters || []).map(resolve);
  const query = parameters.filter((one) => one.in === "query" && one.required)
    .map((one) => `${one.name}=${encodeURIComponent(one.example ?? resolve(one.schema).examples?.[0] ?? "…")}`);
  const url = location.origin + path + (query.length ? `?${query.join("&")}` : "");
  const lines = [`curl -X ${verb.toUpperCase()} ${quoted(url)}`];
  if (!(op.security && op.security.length === 0)) lines.push(`-H "Authorization: Bearer $ENCOURS_KEY"`);
  if (parameters.some((one) => one.name === "Idempotency-Key")) lines.push(`-H "Idempotency-Key: $(uuidgen)"`);
  const [type, media] = Object.entries(op.requestBody?.content || {})[0] || [];
  if (type) {
    lines.push(`-H ${quoted(`Content-Type: ${type}`)}`);
    const example = exampleOf(media);
    lines.push(example === undefined ? "--data-binary @file" : `-d ${quoted(JSON.stringify(example, null, 2))}`);
  }
  return lines.join(" \\\n  ");
};

const copied = (text) => {
  const button = make("button", { textContent: "copy", type: "button" });
  button.addEventListener("click", () => navigator.clipboard?.writeText(text).then(() => (button.textContent = "copied")));
  return make("div", {}, make("pre", { textContent: text }), button);
};

const bodyOf = (content) => Object.entries(content || {}).flatMap(([type, media]) => {
  const example = exampleOf(media);
  return [
    make("p", { className: "quiet", textContent: `${type}${media.schema ? ` — ${typeOf(media.schema)}` : ""}` }),
    media.schema ? members(media.schema) : null,
    example === undefined ? null : make("details", {}, make("summary", { textContent: "example" }), make("pre", { textContent: JSON.stringify(example, null, 2) })),
  ];
});

const draw = (operation) => {
  const { path, verb, op, kind } = operation;
  const parts = [
    make("h2", { textContent: op.summary || op.operationId }),
    make("p", {}, make("span", { className: "verb", textContent: kind === "webhook" ? "event" : verb.toUpperCase() }), make("code", { textContent: path })),
    ...prose(op.description),
  ];
  const parameters = (op.parameters || []).map(resolve);
  if (parameters.length) {
    const table = make("table");
    for (const one of parameters) {
      table.append(make("tr", {},
        make("td", {}, make("code", { textContent: one.name }), one.required ? "" : make("span", { className: "quiet", textContent: " optional" })),
        make("td", { className: "quiet", textContent: `${one.in} · ${typeOf(one.schema || {})}` }),
        make("td", {}, ...prose(one.description))));
    }
    parts.push(make("h3", { textContent: "Parameters" }), table);
  }
  if (op.requestBody) parts.push(make("h3", { textContent: "Body" }), ...prose(op.requestBody.description), ...bodyOf(op.requestBody.content));
  if (kind === "call") parts.push(make("h3", { textContent: "With curl" }), copied(curl(operation)));
  parts.push(make("h3", { textContent: "Answers" }));
  for (const [status, given] of Object.entries(op.responses)) {
    const answer = resolve(given);
    parts.push(make("details", { open: status.startsWith("2") },
      make("summary", {}, make("b", { textContent: `${status} ` }), answer.description || ""),
      ...bodyOf(answer.content)));
  }
  document.getElementById("main").replaceChildren(...parts.filter(Boolean));
  document.title = `${op.summary || path} — Encours API`;
  window.scrollTo(0, 0);
};

const home = () => {
  const count = operations().length;
  document.getElementById("main").replaceChildren(
    make("h2", { textContent: api.info.title }), ...prose(api.info.description),
    make("p", { textContent: `${count} operations and events, version ${api.info.version}.` }),
    make("p", {}, "The document: ", make("a", { href: "/openapi.json", textContent: "/openapi.json" }),
      ". Codes of refusals: ", make("a", { href: "/problems/", textContent: "/problems/" }), "."));
};

const mark = () => {
  for (const link of document.querySelectorAll("nav a")) {
    const here = location.hash !== "" && link.hash === location.hash;
    link.toggleAttribute("aria-current", here);
    if (here) link.scrollIntoView({ block: "nearest" });
  }
};

const show = () => {
  const id = decodeURIComponent(location.hash.slice(1));
  const found = operations().find((one) => one.id === id);
  mark();
  if (found) draw(found);
  else home();
};

const list = () => {
  const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map();
  for (const one of operations()) {
    const text = `${one.verb} ${one.path} ${one.id} ${one.op.summary} ${one.op.description} ${one.op["x-scope"] || ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const tag = one.kind === "webhook" ? "Events told" : (one.op.tags || ["Other"])[0];
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(one);
  }
  const nodes = [...groups].sort(([a], [b]) => a.localeCompare(b)).flatMap(([tag, ones]) => [
    make("h2", { textContent: tag }),
    ...ones.map((one) => make("a", { href: `#${one.id}`, title: one.path },
      make("span", { className: "verb", textContent: one.kind === "webhook" ? "event" : one.verb.toUpperCase() }), one.op.summary || one.path)),
  ]);
  document.getElementById("list").replaceChildren(...(nodes.length ? nodes : [make("p", { className: "quiet", textContent: "Nothing with these words." })]));
  mark();
};

fetch("/openapi.json").then((answer) => answer.json()).then((read) => {
  api = read;
  document.getElementById("search").addEventListener("input", list);
  window.addEventListener("hashchange", show);
  list();
  show();
}).catch((error) => {
  document.getElementById("main").textContent = `/openapi.json cannot be read: ${error}`;
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../../web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, web), "utf8");
const html = read("index.html");
const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)[1];
const ours = readdirSync(web, { recursive: true }).filter((name) => !name.startsWith("node_modules")).filter((name) => /\.(js|css|html|svg)$/.test(name));
const directive = (name) => policy.split(";").map((one) => one.trim().split(/\s+/)).find(([first]) => first === name)?.slice(1);

test("the policy lets only files of this origin run as script", () => {
  assert.deepEqual(directive("default-src"), ["'none'"]);
  assert.deepEqual(directive("script-src"), ["'self'"]);
  for (const name of ["base-uri", "form-action", "object-src", "frame-src"]) assert.deepEqual(directive(name), ["'none'"]);
});

test("there is no inline script, import map or handler that the policy would have to excuse", () => {
  for (const [, attributes, body] of html.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)) {
    assert.match(attributes, /\bsrc="/);
    assert.equal(body.trim(), "");
  }
  assert.doesNotMatch(html, /\son\w+=/);
  assert.doesNotMatch(html, /javascript:/);
});

test("the header's policy is the page's own, and nobody may frame the page", () => {
  const headers = JSON.parse(read("staticwebapp.config.json")).globalHeaders;
  assert.equal(headers["Content-Security-Policy"], `${policy}; frame-ancestors 'none'`);
});

test("plain connections are allowed to loopback only", () => {
  const plain = directive("connect-src").filter((one) => /^(http|ws):/.test(one));
  assert.ok(plain.every((one) => /^(http|ws):\/\/(localhost|127\.0\.0\.1):\*$/.test(one)));
});

test("every file that the page names exists, and comes from this origin", () => {
  const named = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, name]) => name);
  const imported = ours.filter((name) => name.endsWith(".js")).flatMap((name) => [...read(name).matchAll(/(?:from|import)\s*\(?"(\.[^"]+)"/g)].map(([, path]) => new URL(path, new URL(name, web))));
  for (const name of named) assert.doesNotMatch(name, /^(https?:)?\/\//);
  for (const address of [...named.map((name) => new URL(name, web)), ...imported]) {
    assert.ok(address.href.startsWith(web.href), address.href);
    assert.ok(existsSync(address), address.href);
  }
});

test("every third-party part is pinned exactly, and the lock names no address", () => {
  const { dependencies, private: kept } = JSON.parse(read("package.json"));
  assert.equal(kept, true);
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
  const lock = JSON.parse(read("package-lock.json"));
  for (const [name, part] of Object.entries(lock.packages)) {
    assert.equal(part.resolved, undefined, name);
    if (name && !part.link) assert.match(part.integrity, /^sha512-/);
  }
});

test("nothing of ours writes markup from strings, to the log, or to a global", () => {
  for (const name of ours.filter((one) => one.endsWith(".js"))) {
    assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|console\.(log|debug|info|warn|error)|window\.\w+ = /, name);
  }
});

test("only looks are kept in localStorage", () => {
  const users = ours.filter((name) => name.endsWith(".js") && /localStorage\./.test(read(name)));
  assert.deepEqual(users, ["ui/prefs.js"]);
  assert.match(read("access/auth.js"), /cacheLocation: "sessionStorage"/);
});

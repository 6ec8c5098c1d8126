// Holds package.json's `contributes`, package.nls.json and l10n/bundle.l10n.json against the code, in both directions.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import {
  ALL_COMMANDS,
  ALL_CONTEXT_KEYS,
  ALL_SETTINGS,
  ALL_VIEWS,
  EXTENSION_ID,
  NODE_CONTEXT,
  SETTING_DEFAULTS,
  TASK_TYPE,
  TERMINAL_PROFILE,
  VIEW_CONTAINER,
} from "../../src/contributions";
import { DEFINITION_KEYS } from "../../src/tasks/definition";

const ROOT = path.resolve(__dirname, "../../..");

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function readJson(file: string): { [key: string]: Json } {
  return JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));
}

/** Whatever JSON holds at a path; undefined when there is nothing. */
function at(value: Json | undefined, ...keys: (string | number)[]): Json | undefined {
  return keys.reduce<Json | undefined>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

function list(value: Json | undefined): Json[] {
  assert(Array.isArray(value), `a list is expected, not ${JSON.stringify(value)}`);
  return value;
}

function keys(value: Json | undefined): string[] {
  assert(typeof value === "object" && value !== null && !Array.isArray(value));
  return Object.keys(value);
}

/** Every string in a JSON value. */
function strings(value: Json | undefined): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}

function sorted(values: Iterable<unknown>): string[] {
  return [...values].map(String).sort();
}

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** The first arguments of all calls of t(), which must be literals. */
function localizedMessages(): Set<string> {
  const messages = new Set<string>();
  for (const file of sourceFiles("src")) {
    const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "t") {
        const [message] = node.arguments;
        assert(message && ts.isStringLiteralLike(message), `${file}: t() needs a literal: ${node.getText()}`);
        messages.add(message.text);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return messages;
}

describe("package.json", () => {
  const manifest = readJson("package.json");
  const contributes = at(manifest, "contributes");

  it("contributes exactly the commands of the code", () => {
    assert.deepEqual(
      sorted(list(at(contributes, "commands")).map((entry) => at(entry, "command"))),
      sorted(ALL_COMMANDS),
    );
  });

  it("names in its menus only commands that exist", () => {
    for (const menu of keys(at(contributes, "menus"))) {
      for (const entry of list(at(contributes, "menus", menu))) {
        assert.ok((ALL_COMMANDS as readonly unknown[]).includes(at(entry, "command")), JSON.stringify(entry));
      }
    }
  });

  it("names in its when clauses only context keys, views and tree item states of the code", () => {
    const states = Object.values(NODE_CONTEXT) as string[];
    const when = JSON.stringify(contributes);
    for (const [key] of when.matchAll(/sandboxTasks\.\w+/g)) assert.ok(ALL_CONTEXT_KEYS.includes(key), key);
    for (const [, view] of when.matchAll(/view == ([\w.]+)/g)) {
      assert.ok((ALL_VIEWS as readonly unknown[]).includes(view), view);
    }
    for (const [, state] of when.matchAll(/viewItem == ([\w.]+)/g)) assert.ok(states.includes(state ?? ""), state);
    for (const [, pattern] of when.matchAll(/viewItem =~ \/(.*?)\/(?= |")/g)) {
      const expression = new RegExp(JSON.parse(`"${pattern}"`));
      assert.ok(
        states.some((state) => expression.test(state)),
        pattern,
      );
    }
  });

  it("uses every context key", () => {
    const text = JSON.stringify(contributes);
    for (const key of ALL_CONTEXT_KEYS) assert.ok(text.includes(key), key);
  });

  it("contributes exactly the settings of the code, with the same defaults, and no workspace can set them", () => {
    const properties = at(contributes, "configuration", "properties");
    assert.deepEqual(sorted(keys(properties)), sorted(ALL_SETTINGS));
    for (const setting of ALL_SETTINGS) {
      assert.deepEqual(at(properties, setting, "default"), SETTING_DEFAULTS[setting], setting);
      assert.equal(at(properties, setting, "scope"), "machine", setting);
    }
  });

  it("names every setting as one that a folder without trust can't set", () => {
    const restricted = list(at(manifest, "capabilities", "untrustedWorkspaces", "restrictedConfigurations"));
    assert.deepEqual(sorted(restricted), sorted(ALL_SETTINGS));
    assert.equal(at(manifest, "capabilities", "untrustedWorkspaces", "supported"), false);
  });

  it("contributes the views, the task type and the terminal profile of the code", () => {
    const views = list(at(contributes, "views", VIEW_CONTAINER));
    assert.deepEqual(sorted(views.map((view) => at(view, "id"))), sorted(ALL_VIEWS));
    assert.equal(at(contributes, "viewsContainers", "activitybar", 0, "id"), VIEW_CONTAINER);
    assert.equal(at(contributes, "taskDefinitions", 0, "type"), TASK_TYPE);
    assert.deepEqual(sorted(keys(at(contributes, "taskDefinitions", 0, "properties"))), sorted(DEFINITION_KEYS));
    assert.equal(at(contributes, "terminal", "profiles", 0, "id"), TERMINAL_PROFILE);
    assert.equal(`${at(manifest, "publisher")}.${at(manifest, "name")}`, EXTENSION_ID);
  });

  it("describes profiles, as docs/profiles.md does, the way the schema and the texts say: npm run schema changes nothing", () => {
    const check = spawnSync(process.execPath, [path.join(ROOT, "scripts/schema.mjs"), "--check"], { encoding: "utf8" });
    assert.equal(check.status, 0, check.stderr);
  });

  it("has a text for every %key%, and no text that is not used", () => {
    const used = strings(manifest).flatMap((text) => /^%(.+)%$/.exec(text)?.[1] ?? []);
    assert.deepEqual(sorted(new Set(used)), sorted(Object.keys(readJson("package.nls.json"))));
  });
});

describe("l10n/bundle.l10n.json", () => {
  it("has exactly the messages of the sources", () => {
    const messages = localizedMessages();
    const file = path.join(ROOT, "l10n/bundle.l10n.json");
    if (process.env.UPDATE_L10N) {
      const bundle = Object.fromEntries([...messages].sort().map((message) => [message, message]));
      writeFileSync(file, `${JSON.stringify(bundle, null, 2)}\n`);
    }
    const hint = "run the unit tests once with UPDATE_L10N=1 in the environment";
    assert.deepEqual(sorted(Object.keys(readJson("l10n/bundle.l10n.json"))), sorted(messages), hint);
  });

  it("is the only way to the user's eyes: no message is shown that did not pass t()", () => {
    for (const file of sourceFiles("src")) {
      const text = readFileSync(file, "utf8");
      const bare = /show(?:Error|Information|Warning)Message\(\s*["'`](?!\$\{)/.exec(text);
      assert.equal(bare, null, file);
    }
  });
});

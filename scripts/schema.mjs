// npm run schema: writes what is known about profiles where people meet it, from the one place that decides, the zod schema
// (src/sandbox/schema.ts): the JSON schemas in package.json, for settings.json and tasks.json, and the tables of
// docs/profiles.md. The texts are package.nls.json's: `profile.KEY.PATH` for a key, `builtin.NAME` for a built-in profile.
// A new key is one line of the schema and one text. With --check it writes nothing and fails when something would change.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT } from "./files.mjs";
import { documentation } from "./profile-docs.mjs";
import { load } from "./typescript.mjs";

const { profileSchema } = load("src/sandbox/schema.ts");
const { BUILT_IN_PROFILES, DEFAULT_PROFILE, resolveProfile } = load("src/sandbox/profiles.ts");
const { GRANTABLE } = load("src/sandbox/capabilities.ts");
const { describeProfile } = load("src/sandbox/describe.ts");

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const texts = JSON.parse(read("package.nls.json"));
const names = Object.keys(BUILT_IN_PROFILES);

/** @param {string} key of package.nls.json */
function text(key) {
  if (texts[key] === undefined) throw new Error(`package.nls.json has no text "${key}".`);
  return `%${key}%`;
}

/** A name of a profile: any, and the built-in ones are offered. */
const profileName = {
  anyOf: [
    { type: "string", enum: names, markdownEnumDescriptions: names.map((name) => text(`builtin.${name}`)) },
    { type: "string", minLength: 1 },
  ],
};

/**
 * Add the texts, by the path of each key. What lies inside a choice or a list is somebody else's format (OCI's) as often
 * as not: there a text is added where there is one.
 * @param {any} schema JSON schema, draft 7
 * @param {string} path "profile.filesystem.read"
 * @param {boolean} needed whether a key without a text is an error
 */
function withTexts(schema, path, needed) {
  const { properties, anyOf, oneOf, items, ...rest } = schema;
  // What JSON can't hold is no limit worth showing.
  if (rest.maximum === Number.MAX_SAFE_INTEGER) delete rest.maximum;
  if (rest.minimum === Number.MIN_SAFE_INTEGER) delete rest.minimum;
  const inner = (one) => withTexts(one, path, false);
  return {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map(inner) }),
    ...(oneOf && { oneOf: oneOf.map(inner) }),
    ...(items && { items: inner(items) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => {
          const at = `${path}.${key}`;
          const described = withTexts(value, at, needed);
          return [key, needed || texts[at] !== undefined ? { ...described, markdownDescription: text(at) } : described];
        }),
      ),
    }),
  };
}

/** The JSON schema of a profile (draft 7, which VS Code reads), described. */
function jsonSchema() {
  const { $schema: _, ...schema } = z.toJSONSchema(profileSchema, { io: "input", target: "draft-7" });
  const described = withTexts(schema, "profile", true);
  const { minLength: _length, type: _type, ...rest } = described.properties.extends;
  described.properties.extends = { ...rest, ...profileName };
  return { ...described, markdownDescription: text("profile") };
}

/** package.json with the schemas in it, as biome formats it. */
function manifest(schema) {
  const json = JSON.parse(read("package.json"));
  const { properties } = json.contributes.configuration;
  properties["sandbox.profiles"].additionalProperties = schema;
  Object.assign(properties["sandbox.defaultProfile"], profileName);
  const task = json.contributes.taskDefinitions[0].properties;
  task.profile.anyOf = [...profileName.anyOf, { ...schema, required: ["extends"] }];
  const biome = spawnSync(join(ROOT, "node_modules/.bin/biome"), ["format", "--stdin-file-path=package.json"], {
    cwd: ROOT,
    input: JSON.stringify(json, null, 2),
    encoding: "utf8",
  });
  if (biome.status !== 0) throw new Error(`biome can't format package.json: ${biome.error?.message ?? biome.stderr}`);
  return biome.stdout;
}

try {
  const schema = jsonSchema();
  const builtIn = names.map((name) => ({
    name,
    text: texts[`builtin.${name}`],
    words: describeProfile(resolveProfile(name)),
    definition: BUILT_IN_PROFILES[name],
  }));
  const results = {
    "package.json": manifest(schema),
    "docs/profiles.md": documentation(read("docs/profiles.md"), {
      schema,
      texts,
      defaults: resolveProfile(DEFAULT_PROFILE),
      builtIn,
      capabilities: GRANTABLE,
    }),
  };
  const stale = Object.entries(results).filter(([path, content]) => read(path) !== content);
  if (process.argv.includes("--check")) {
    for (const [path] of stale) console.error(`${path} is not what the schema of profiles says: npm run schema`);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    for (const [path, content] of stale) writeFileSync(join(ROOT, path), content);
    console.log(stale.length === 0 ? "Nothing changed." : `Wrote ${stale.map(([path]) => path).join(", ")}.`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

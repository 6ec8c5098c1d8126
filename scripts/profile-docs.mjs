// The generated parts of docs/profiles.md: what stands there between `<!-- NAME: npm run schema -->` and `<!-- end -->`.

/** A value as it stands in a profile. */
const code = (value) => `\`${JSON.stringify(value)?.replaceAll('","', '", "').replaceAll('":', '": ')}\``;

/**
 * The type of a key, in words.
 * @param {any} schema JSON schema
 * @returns {string}
 */
function typeOf(schema) {
  if (schema.const !== undefined) return code(schema.const);
  // A long choice is told in the text.
  if (schema.enum) return schema.enum.length <= 8 ? schema.enum.map(code).join(", ") : "name";
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(", or ");
  if (schema.type === "array") {
    const one = typeOf(schema.items ?? {});
    return /^(string|name)$/.test(one) ? `list of ${one}s` : `list of ${one}`;
  }
  if (schema.type === "object") {
    const values = schema.additionalProperties;
    return typeof values === "object" ? `object whose values are: ${typeOf(values)}` : "object";
  }
  return schema.type === "integer" ? "whole number" : (schema.type ?? "any");
}

/** One section a key, the keys inside it after it. */
function keys(schema, texts, path, defaults) {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const text = texts[`profile.${at}`];
    const byDefault = defaults?.[key];
    const examples = value.examples ?? value.items?.examples ?? [];
    const isGroup = value.type === "object" && value.properties !== undefined;
    return [
      `${path === "" ? "###" : "####"} \`${at}\`\n`,
      `${text}\n`,
      ...(isGroup
        ? []
        : [
            [
              `- Type: ${typeOf(value)}`,
              `- In \`build\`: ${byDefault === undefined ? "not set" : code(byDefault)}`,
              ...examples.map((example) => `- Example: \`"${key}": ${code(example).slice(1)}`),
            ].join("\n"),
            "",
          ]),
      ...(isGroup ? keys(value, texts, at, byDefault) : []),
    ];
  });
}

function builtInProfiles(profiles) {
  return profiles.flatMap(({ name, text, words, definition }) => [
    `### \`${name}\`\n`,
    `${text}\n`,
    `In short: ${words}.\n`,
    ...(Object.keys(definition).length === 0
      ? []
      : [`\`\`\`json\n"${name}": ${JSON.stringify(definition, null, 2)}\n\`\`\`\n`]),
  ]);
}

/**
 * The page with its generated parts written anew.
 * @param {string} page
 * @param {{schema: any, texts: Record<string, string>, defaults: any, builtIn: any[], capabilities: Record<string, string>}} facts
 * @returns {string}
 */
export function documentation(page, { schema, texts, defaults, builtIn, capabilities }) {
  const parts = {
    keys: keys(schema, texts, "", defaults),
    profiles: builtInProfiles(builtIn),
    capabilities: Object.entries(capabilities).map(([name, text]) => `- \`${name}\`: ${text}`),
  };
  return Object.entries(parts).reduce((result, [name, lines]) => {
    const start = `<!-- ${name}: npm run schema -->\n`;
    const [before, rest] = result.split(start);
    const end = rest?.indexOf("<!-- end -->") ?? -1;
    if (end < 0) throw new Error(`docs/profiles.md has no part "${start.trim()}" that ends with "<!-- end -->".`);
    return `${before}${start}\n${lines.join("\n")}\n${rest.slice(end)}`;
  }, page);
}

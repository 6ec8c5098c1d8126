// Settings that ordinary builds need and that stand in the hidden home folder beside passwords and tokens: who commits,
// and which registry packages come from. A copy is made of the lines that are known to hold nothing secret; whatever is
// not known stays out. What can't be cut out line by line with certainty (Maven's settings.xml, gradle.properties) is
// hidden as a whole.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A file of the sandbox's own. */
export interface Setting {
  readonly path: string;
  readonly content: string;
}

/** Of git-config(1): who commits, and what files look like. No alias, no filter, no helper: those are programs. */
const GIT_KEYS =
  /^(user\.(name|email)|init\.defaultbranch|core\.(autocrlf|eol|safecrlf|quotepath|precomposeunicode)|pull\.(rebase|ff)|push\.(default|autosetupremote)|fetch\.prune|merge\.(ff|conflictstyle)|rebase\.(autostash|autosquash|updaterefs)|diff\.(algorithm|renames|mnemonicprefix)|color\.ui|safe\.directory)$/;

/** Milliseconds: a git that asks something is not waited for. */
const GIT_LIMIT = 5000;

/** A value as git-config(1) reads it back. */
function gitValue(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/** git itself reads the file, with those it includes; in "/", so that no repository has a say. */
async function gitSettings(home: string): Promise<string | undefined> {
  const files = [join(home, ".gitconfig"), join(process.env.XDG_CONFIG_HOME ?? join(home, ".config"), "git/config")];
  if (process.env.GIT_CONFIG_GLOBAL === undefined && !files.some((file) => existsSync(file))) {
    return undefined;
  }
  const args = ["config", "--global", "--includes", "--null", "--list"];
  const env = { ...process.env, HOME: home, GIT_TERMINAL_PROMPT: "0" };
  const run = promisify(execFile)("git", args, { cwd: "/", env, timeout: GIT_LIMIT, killSignal: "SIGKILL" });
  // No git, or no such file.
  const { stdout } = await run.catch(() => ({ stdout: "" }));
  const lines = stdout.split("\0").flatMap((entry): string[] => {
    const [key = "", ...value] = entry.split("\n");
    const [section, name] = key.split(".");
    return GIT_KEYS.test(key) ? [`[${section}]`, `\t${name} = ${gitValue(value.join("\n"))}`] : [];
  });
  return lines.length === 0 ? undefined : `${lines.join("\n")}\n`;
}

/**
 * Whether a value is an address or a word with nothing in it that could be a password: no user, no variable, no query,
 * and no part that looks like a token, which some registries have in their paths.
 */
function isPlain(value: string): boolean {
  const tokens = (value.match(/[a-z0-9]{16,}/gi) ?? []).filter((part) => /\d/.test(part));
  return !/[@$?#]|%[0-9a-f]{2}/i.test(value) && tokens.length === 0;
}

/** Of npm's config(7): where packages come from, and how they are saved. */
const NPM_KEYS =
  /^(registry|@[\w.-]+:registry|cafile|strict-ssl|engine-strict|save-exact|save-prefix|fund|audit|loglevel|progress|legacy-peer-deps|install-links|node-linker|shamefully-hoist|auto-install-peers|package-lock|init-license|init-version)$/;

/** Of pip's configuration file: where packages come from. */
const PIP_KEYS =
  /^(index-url|extra-index-url|find-links|trusted-host|timeout|retries|disable-pip-version-check|no-input|cert)$/;

/** The lines of an INI file whose key is known and whose value is plain, under their sections. */
function knownLines(text: string, keys: RegExp): string | undefined {
  const lines = text.split(/\r?\n/).filter((line) => {
    const [, key, value] = /^\s*([^=:\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return /^\s*\[[\w-]+\]\s*$/.test(line) || (key !== undefined && keys.test(key) && isPlain(value ?? "@"));
  });
  return lines.some((line) => line.includes("=")) ? `${lines.join("\n")}\n` : undefined;
}

async function filtered(file: string, keys: RegExp): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : knownLines(text, keys);
}

/**
 * The settings that a sandbox gets a copy of.
 * @param home real path
 */
export async function findSettings(home: string): Promise<Setting[]> {
  const files: readonly (readonly [path: string, content: Promise<string | undefined>])[] = [
    [".gitconfig", gitSettings(home)],
    [".npmrc", filtered(join(home, ".npmrc"), NPM_KEYS)],
    [".config/pip/pip.conf", filtered(join(home, ".config/pip/pip.conf"), PIP_KEYS)],
    [".pip/pip.conf", filtered(join(home, ".pip/pip.conf"), PIP_KEYS)],
  ];
  const found = await Promise.all(
    files.map(async ([path, content]): Promise<Setting[]> => {
      const text = await content;
      return text === undefined ? [] : [{ path: join(home, path), content: text }];
    }),
  );
  return found.flat();
}

/** Settings that lie in the folder of a toolchain, which is shown: cargo reads tokens from them too. */
const IN_TOOLCHAINS = [".cargo/config.toml", ".cargo/config"];

/** Those of them that hold a token, and so are hidden as a whole. @param home real path */
export async function settingsWithTokens(home: string): Promise<string[]> {
  const found = await Promise.all(
    IN_TOOLCHAINS.map(async (name) => {
      const path = join(home, name);
      const text = await readFile(path, "utf8").catch(() => "");
      return /^\s*[\w."'-]*\b(token|secret-key)["']?\s*=/m.test(text) ? [path] : [];
    }),
  );
  return found.flat();
}

// Where this machine's apt takes Debian from, so that the test machine is made of the same mirrors through the same
// proxies, and no address of a registry stands in the project.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** @param {string} file @param {string[]} args */
function output(file, args) {
  const run = spawnSync(file, args, { encoding: "utf8" });
  if (run.status === 0) return run.stdout;
  throw new Error(`${file} ${args.join(" ")} failed: ${run.error?.message ?? run.stderr.trim()}`);
}

/** @returns {string | undefined} "bookworm" and so on; undefined where the system is no Debian: os-release(5) */
export function debianCodename() {
  const text = readFileSync("/etc/os-release", "utf8");
  const value = (name) => new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(text)?.[1];
  return value("ID") === "debian" ? value("VERSION_CODENAME") : undefined;
}

/**
 * Lines of sources.list(5): those parts of the release that this machine uses, and its backports, which have newer
 * kernels.
 * @param {string} codename
 */
export function aptSources(codename) {
  const format = "$(CREATED_BY) $(COMPONENT) $(CODENAME) $(RELEASE) $(SITE)";
  const targets = output("apt-get", ["indextargets", "--format", format]).trim().split("\n");
  const lines = new Set();
  for (const target of targets) {
    const [createdBy, component, known, release, site] = target.split(" ");
    if (createdBy !== "Packages" || component !== "main" || site === undefined) continue;
    const suite = known === "" ? release : known;
    if (suite === codename) lines.add(`deb ${site} ${backportsOf(codename)} main`);
    if (suite === codename || suite.startsWith(`${codename}-`)) lines.add(`deb ${site} ${suite} main`);
  }
  if (lines.size === 0) throw new Error(`apt knows no source of Debian ${codename} here: apt-get update?`);
  return [...lines];
}

/** @param {string} codename */
export const backportsOf = (codename) => `${codename}-backports`;

/** How apt reaches its mirrors (proxies, time limits), in the form of apt.conf(5). */
export function aptTransport() {
  const isTransport = (line) => /^Acquire::(http|https|ftp|Retries)\b/.test(line);
  return output("apt-config", ["dump"]).split("\n").filter(isTransport).join("\n");
}

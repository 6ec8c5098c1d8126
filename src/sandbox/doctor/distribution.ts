// Which distribution this is, and how things are set there for good: a sysctl, a parameter of the kernel, a newer kernel.
// Everything is a line that can be pasted as it stands.

import type { Machine } from "./machine";

/** Distributions that are looked after alike. */
export type Family = "debian" | "ubuntu" | "fedora" | "suse" | "arch" | "alpine" | "nixos" | "other";

export interface Distribution {
  readonly family: Family;
  /** For people: "Ubuntu 24.04.1 LTS". */
  readonly name: string;
  /** VERSION_ID and VERSION_CODENAME, '' where there is none. */
  readonly version: string;
  readonly codename: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  ubuntu: "ubuntu",
  debian: "debian",
  fedora: "fedora",
  rhel: "fedora",
  centos: "fedora",
  suse: "suse",
  opensuse: "suse",
  sles: "suse",
  arch: "arch",
  alpine: "alpine",
  nixos: "nixos",
};

/** os-release(5): NAME=value lines, perhaps quoted as in a shell. */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const [, name, quoted = ""] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
      if (name === undefined) return [];
      const bare = /^(["'])(.*)\1$/.exec(quoted)?.[2] ?? quoted;
      return [[name, bare.replace(/\\([$"'\\`])/g, "$1")]];
    }),
  );
}

/** From os-release(5): ID, else the nearest of ID_LIKE that we know. */
export function distributionOf(machine: Machine): Distribution {
  const fields = parseOsRelease(machine.read("/etc/os-release") ?? machine.read("/usr/lib/os-release") ?? "");
  const ids = [fields.ID ?? "", ...(fields.ID_LIKE ?? "").split(/\s+/)];
  const family = ids.flatMap((id) => FAMILIES[id] ?? FAMILIES[id.split("-")[0] ?? ""] ?? []).at(0) ?? "other";
  return {
    family,
    name: fields.PRETTY_NAME ?? fields.NAME ?? "Linux",
    version: fields.VERSION_ID ?? "",
    codename: fields.VERSION_CODENAME ?? "",
  };
}

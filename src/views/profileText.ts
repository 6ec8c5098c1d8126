// The text of "Explain Profile": what a task may do under a profile in this folder, first in words and with real paths, then
// as the plan that would be carried out, step by step. Made from what is compiled, never from what is meant: it can't say
// more than what would be done. Pure, so that it can be tested without the editor.

import { whatLandlockLacks, wrap } from "../format";
import { t } from "../l10n";
import { describeProfile, type HostFacts, type Place, protectedIn, type ResolvedProfile } from "../sandbox";
import type { SpawnOptions, Step } from "../spawner";

const WIDTH = 100;

export interface Explained {
  readonly profile: ResolvedProfile;
  readonly facts: HostFacts;
  /** From layout(): where things are, outermost first. */
  readonly places: readonly Place[];
  /** From compile(). */
  readonly options: SpawnOptions;
  /** From explain(). */
  readonly steps: readonly Step[];
}

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", heading, "-".repeat(heading.length), "", ...lines];
}

const list = (lines: readonly string[]): string[] => lines.flatMap((line) => wrap(`  ${line}`, WIDTH));

function accessWords({ access }: Place): string {
  switch (access) {
    case "private":
      return t("empty and the sandbox's own; what is written there ends with it");
    case "hidden":
      return t("hidden by the profile (filesystem.hide)");
    case "read":
      return t("can be read");
    case "copy":
      return t("can be read and written, and what is written ends with the sandbox");
    case "write":
      return t("can be read and written");
    case "keep":
      return t("held in place: can't be moved or removed");
    case "link":
      return t("a link");
  }
}

function fileLines({ places }: Explained): string[] {
  return [
    t("{0}: {1}", "/", t("can be read, but for what follows")),
    ...places.map((place) => {
      const line = t("{0}: {1}", place.path, accessWords(place));
      return place.source === undefined || place.source === place.path
        ? line
        : t("{0} (it is {1})", line, place.source);
    }),
  ];
}

/** Why a path is masked, as far as it can be told from where it was found. */
function reason(path: string, { facts, places }: Explained): string {
  if (/^\/(proc|sys)\//.test(path)) return t("of the kernel");
  if (facts.sockets.includes(path)) return t("a socket, through which a program outside could be reached");
  return places.some((place) => place.access === "hidden" && place.path === path)
    ? t("hidden by the profile (filesystem.hide)")
    : t("passwords, tokens or keys");
}

const NETWORK: Readonly<Record<ResolvedProfile["network"], () => string>> = {
  none: () => t("None: no interface is up, and nothing outside can be reached."),
  loopback: () => t("127.0.0.1 of its own: the sandbox's programs reach each other, and nobody else."),
  host: () => t("This machine's network, with its local services and abstract sockets."),
};

/** What the profile says about machines that refuse namespaces, which this may be. */
function fallbackLines({ profile: { fallback } }: Explained): string[] {
  if (fallback === "refuse") return [t("Nothing runs where namespaces are refused.")];
  return [
    t("Landlock alone holds it there: it can read and write what is said above, and nothing else. But:"),
    ...whatLandlockLacks().map((line) => `- ${line}`),
  ];
}

function limitLines({ profile }: Explained): string[] {
  const lines = Object.entries(profile.limits).map(([key, value]) => `${key}: ${value}`);
  return lines.length === 0 ? [t("None.")] : lines;
}

function privilegeLines({ profile, options, steps }: Explained): string[] {
  const { capabilities } = profile;
  const walls = steps.filter(({ name }) => /^(seccomp|landlock)/i.test(name));
  return [
    capabilities.length === 0
      ? t("Capabilities: none, in any of the five sets.")
      : t("Capabilities, over what is the sandbox's own: {0}", capabilities.join(", ")),
    options.sys?.noNewPrivileges === true ? t("No program gains privileges (no_new_privs): sudo and ping do not.") : "",
    t(
      "Namespaces of its own: {0}",
      (options.sys?.cloneflags ?? []).map((flag) => flag.slice(9).toLowerCase()).join(", "),
    ),
    ...walls.map(({ name, detail }) => t("{0}: {1}", name, detail)),
  ].filter(Boolean);
}

/** The whole document. */
export function profileText(explained: Explained): string {
  const { profile, facts, places, options, steps } = explained;
  const title = t("What a task may do under the profile {0}", profile.name);
  const masked = (options.sys?.maskedPaths ?? []).map((path) => t("{0}: {1}", path, reason(path, explained)));
  const guarded = protectedIn(places, facts).filter(({ kind }) => kind !== "missing");
  const settings = facts.settings.map(({ path }) => path);
  return [
    title,
    "=".repeat(title.length),
    "",
    t("Folder: {0}", facts.workspace),
    ...wrap(t("In short: {0}.", describeProfile(profile)), WIDTH),
    ...section(t("Files"), list(fileLines(explained))),
    ...section(t("Hidden, where it would be seen"), list(masked)),
    ...section(
      t("Protected: the editor or git acts upon it outside of any sandbox"),
      list(guarded.map(({ path }) => path)),
    ),
    ...section(t("Copies of your settings, without what may be secret in them"), list(settings)),
    ...section(t("Network"), list([NETWORK[profile.network]()])),
    ...section(t("Limits"), list(limitLines(explained))),
    ...section(t("Privileges"), list(privilegeLines(explained))),
    ...section(t("Where namespaces are refused"), list(fallbackLines(explained))),
    ...section(
      t("Environment variables that it gets"),
      list([
        Object.keys(options.env ?? {})
          .sort()
          .join(" "),
      ]),
    ),
    ...section(
      t("Step by step: what is done for the command {0}", "/bin/sh"),
      steps.map(({ name, detail }, index) => `  ${String(index + 1).padStart(3)}  ${name} ${detail}`.trimEnd()),
    ),
    "",
  ].join("\n");
}

// Numbers as people read them: durations, sizes, times, command lines, how a process ended and what it was refused.

import { basename, dirname } from "node:path";
import { t } from "./l10n";
import type { Denial } from "./sandbox/denials";
import type { ExitStatus } from "./spawner/types";

/** Seconds as "0.35 s", "12.4 s", "3 min 05 s", "2 h 07 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Bytes as "512 kB", "3.4 MB", "1.2 GB" (powers of 1000). */
export function formatBytes(bytes: number): string {
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  if (bytes < 999_500_000) return `${(bytes / 1e6).toFixed(bytes < 9_950_000 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Local time of day, "14:03:27". */
export function formatTime(date: Date): string {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Local time of day without seconds, "14:03". */
export function formatClock(date: Date): string {
  return formatTime(date).slice(0, 5);
}

/** How it ended, as short as it can be said: "code 2", "SIGKILL", "time limit". */
export function describeEndShortly(status: ExitStatus): string {
  if (status.reason === "timeout") return t("time limit");
  if (status.reason === "memory") return t("memory limit");
  if (status.reason === "pids") return t("process limit");
  if (status.reason === "cpuTime") return t("CPU time limit");
  return status.signal ?? t("code {0}", status.code ?? 0);
}

/** The key of the profile whose limit ended it, by the reason. */
const LIMIT_KEYS: Readonly<Partial<Record<NonNullable<ExitStatus["reason"]>, string>>> = {
  timeout: "limits.wallTime",
  memory: "limits.memory",
  pids: "limits.pids",
  cpuTime: "limits.cpuTime",
};

/** What to do when a limit ended it: "Raise limits.memory in the profile to allow more."; undefined when none did. */
export function limitAdvice({ reason }: ExitStatus): string | undefined {
  const key = reason === undefined ? undefined : LIMIT_KEYS[reason];
  return key === undefined ? undefined : t("Raise {0} in the profile to allow more.", key);
}

/** How it ended, in words: "exited with code 2", "killed by SIGKILL", "killed by SIGKILL after the time limit". */
export function describeEnd(status: ExitStatus): string {
  if (status.reason === "timeout") return t("ended by the time limit");
  if (status.reason === "memory") return t("killed for using more memory than allowed");
  if (status.reason === "cpuTime") return t("killed for using more CPU time than allowed");
  if (status.reason === "pids") return t("failed, with more processes than allowed");
  if (status.signal !== null) {
    return status.coreDumped ? t("killed by {0}, core dumped", status.signal) : t("killed by {0}", status.signal);
  }
  return t("exited with code {0}", status.code ?? 0);
}

/** What a sandbox that Landlock alone holds lacks beside one with namespaces, an entry each. */
export function whatLandlockLacks(): string[] {
  return [
    t("It sees which processes of yours and of others run, with their command lines, and the list of connections."),
    t(
      "It can change permission bits, owners, times and extended attributes of files of yours anywhere, though not read or write them.",
    ),
    t(
      "It can ask whether a path exists, how large it is, and be told of changes in a folder, also where it can't list or read.",
    ),
    t("The machine's name, its cgroups, clocks and user ids are the machine's."),
    t(
      'No socket of Unix or, but with network "host", of IP: not even its own loopback. No /dev/shm, no System V IPC, no message queues, no new terminals.',
    ),
    t(
      "Package caches begin empty where the profile has them private; / and the folders around what is hidden can't be listed.",
    ),
  ];
}

/** That it is Landlock alone, in one sentence. */
export function heldByLandlock(): string {
  return t(
    "Held by Landlock alone, as namespaces are refused here: less is kept apart than elsewhere (Explain Profile says what).",
  );
}

/** The rule, to whom, how often, and how sure that is. */
function denialWords({ rule, command, count, certainty }: Denial): string[] {
  const parts = [
    rule,
    command,
    count > 1 ? t("{0} times", count) : undefined,
    certainty === "hint" ? t("a guess from what was printed") : undefined,
  ];
  return parts.filter((part) => part !== undefined);
}

/** The circumstances of a denial, "seccomp · npm · 3 times". */
export function describeDenial(denial: Denial): string {
  return denialWords(denial).join(" · ");
}

/**
 * A denial as a row of a narrow tree. Of a path its last name comes first and its folder behind the rule: a long one would
 * push everything else out of sight, and say least where it is cut off.
 * @param home what "~" stands for
 */
export function denialLabel(denial: Denial, home: string): { label: string; description: string } {
  const { what, path } = denial;
  const [rule = "", ...others] = denialWords(denial);
  if (path === undefined || what !== path || path === "/") return { label: what, description: describeDenial(denial) };
  const folder = dirname(path);
  const shown = folder === home || folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder;
  // "filesystem." would fill the row by itself, and a path says as much.
  const key = rule.replace(/^filesystem\./, "");
  return { label: basename(path), description: [key, shown, ...others].join(" · ") };
}

/** An argv as somebody would type it: words with special characters are quoted for a POSIX shell. For display only. */
export function displayCommand(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`)).join(" ");
}

/** At most `length` characters, cut with an ellipsis. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Lines of at most `width` characters, broken at spaces; each but the first begins with the indentation of `text`. */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = "";
  for (const word of text.trim().split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

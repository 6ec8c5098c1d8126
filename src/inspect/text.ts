// Text that a process of a sandbox chose (its name, its command line, its cgroup) is shown in the editor. It must not
// be able to move a cursor, colour a terminal, or turn the direction of what stands beside it.

// C0, DEL and C1 controls; line and paragraph separators; bidirectional marks and overrides (CVE-2021-42574).
const UNSEEN = new RegExp(
  `[${[
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x2069],
    [0xfeff, 0xfeff],
  ]
    .map(([from, to]) => `\\u{${(from ?? 0).toString(16)}}-\\u{${(to ?? 0).toString(16)}}`)
    .join("")}]`,
  "gu",
);

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" };

/** Control and direction characters replaced by escapes that can be seen: "\e[31m", "\n", "\x07", "\u202e". */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const named = NAMED[character];
    if (named !== undefined) {
      return named;
    }
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** An argument as a shell would need it typed, so that `sh -c 'a b'` and `sh -c a b` do not look the same. */
function quoted(argument: string): string {
  return argument === "" || /[\s'"\\$`&|;<>()*?[\]{}#!~]/.test(argument)
    ? `'${argument.replaceAll("'", "'\\''")}'`
    : argument;
}

/**
 * The text of /proc/PID/cmdline: arguments, each ended by a NUL.
 * @param bytes at most as many as were read
 * @param truncated more was there
 * @returns undefined when there is none: a kernel thread, a zombie, a process in the middle of execve(2)
 */
export function commandLine(bytes: Buffer, truncated: boolean): string | undefined {
  const text = bytes.toString("utf8").replace(/\0+$/, "");
  if (text === "") {
    return undefined;
  }
  const parts = text.split("\0");
  // setproctitle(3) leaves one string with spaces in it: a title and not a command to be quoted.
  const line = parts.length === 1 ? text : parts.map(quoted).join(" ");
  return visible(line) + (truncated ? "…" : "");
}

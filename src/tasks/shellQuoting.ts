// A shell task with `args` in tasks.json is one command line, made by VS Code's quoting rules (ShellQuoting, for POSIX
// shells). To run such a task in a sandbox we make the same line: after VS Code expanded ${variables}, so that a path
// with spaces in it is quoted as VS Code would have quoted it.

/** How one word is to be quoted; undefined: only when it has a space in it, as for a plain string in tasks.json. */
export type Quoting = "escape" | "strong" | "weak" | undefined;

export interface ShellWord {
  readonly value: string;
  readonly quoting?: Quoting;
}

/** One line for `sh -c`, from a command and its arguments. */
export function shellLine(words: readonly ShellWord[]): string {
  return words.map(quoteWord).join(" ");
}

function quoteWord({ value, quoting }: ShellWord): string {
  switch (quoting) {
    case "strong":
      return strong(value);
    case "weak":
      return `"${value}"`;
    case "escape":
      return value.replace(/[ "']/g, (character) => `\\${character}`);
    default:
      return needsQuotes(value) ? strong(value) : value;
  }
}

/** A quote in a strongly quoted word would end it: POSIX wants it written as '\''. */
function strong(value: string): string {
  return `'${value.replace(/'/g, "'\\''")}'`;
}

/** A plain string is taken as shell text, and quoted only when it has a space outside quotes and is not quoted as a whole. */
function needsQuotes(value: string): boolean {
  const first = value[0];
  if (value.length >= 2 && (first === "'" || first === '"') && value.endsWith(first)) return false;
  let quote: string | undefined;
  for (let index = 0; index < value.length; index++) {
    const character = value[index];
    if (character === quote) quote = undefined;
    else if (quote !== undefined) continue;
    else if (character === "\\") index++;
    else if (character === "'" || character === '"') quote = character;
    else if (character === " ") return true;
  }
  return false;
}

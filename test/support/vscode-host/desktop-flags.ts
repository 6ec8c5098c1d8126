// Reads the command line that @vscode/test-electron gives to a desktop VS Code.

/** What of a desktop command line matters to a VS Code in the browser. */
export interface DesktopFlags {
  /** Folder of the extension under development; the first when there are several. */
  readonly extensionDevelopmentPath: string;
  /** Module whose run() is the test suite. */
  readonly extensionTestsPath: string;
  /** Folder to open, or none. */
  readonly workspace?: string;
  /** Packaged extensions to install before the run (--install-extension, as `code` has it). */
  readonly vsix: readonly string[];
  /** --disable-workspace-trust was given. */
  readonly trusted: boolean;
}

/** Flags with a value that mean nothing here: the browser host makes folders of its own, fresh in every run. */
const IGNORED_WITH_VALUE = ["--user-data-dir", "--extensions-dir", "--folder-uri", "--crash-reporter-directory"];

/**
 * @param args without node and the script; values as `--flag=value` or `--flag value`
 * @throws Error that names the flag that is missing
 */
export function parseDesktopFlags(args: readonly string[]): DesktopFlags {
  const values = new Map<string, string[]>();
  const positional: string[] = [];
  const takesValue = new Set([
    "--extensionDevelopmentPath",
    "--extensionTestsPath",
    "--install-extension",
    ...IGNORED_WITH_VALUE,
  ]);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-")) {
      positional.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    let value = equals < 0 ? "" : arg.slice(equals + 1);
    if (equals < 0 && takesValue.has(name)) value = args[++i] ?? "";
    values.set(name, [...(values.get(name) ?? []), value]);
  }

  const required = (name: string): string => {
    const value = values.get(name)?.[0];
    if (value === undefined || value === "") throw new Error(`${name}=PATH is missing from: ${args.join(" ")}`);
    return value;
  };
  const workspace = positional[0];
  return {
    extensionDevelopmentPath: required("--extensionDevelopmentPath"),
    extensionTestsPath: required("--extensionTestsPath"),
    ...(workspace === undefined ? {} : { workspace }),
    vsix: values.get("--install-extension") ?? [],
    trusted: values.has("--disable-workspace-trust"),
  };
}

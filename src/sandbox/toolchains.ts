// Compilers, interpreters and package managers that live below $HOME, found by looking: without them a sandbox that
// hides $HOME could not build anything. What is found is shown read-only; the credentials among it stay hidden.

import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isInside } from "./paths";

/** A folder or file below a hidden home folder that is shown inside. */
export interface Toolchain {
  /** Where programs look for it. */
  readonly path: string;
  /** Where it really is; the same, unless a symbolic link leads there. */
  readonly real: string;
  /** Another's home folder that it lies in, whose credentials must stay hidden too; absent: in the user's own. */
  readonly otherHome?: string;
}

/** Folders of toolchains and their managers, below $HOME. */
const KNOWN = [
  // JavaScript
  ".nvm .volta .fnm .nodenv .bun .deno .npm-global .yarn .cache/node-gyp .local/share/fnm .local/share/pnpm",
  // Python
  ".pyenv .local/lib .local/pipx .local/share/pipx .local/share/uv .pixi miniconda3 anaconda3 miniforge3 mambaforge",
  // Rust, Go, C and relatives
  ".cargo .rustup go/bin go/pkg .goenv .gvm .local/share/zigup .zvm .swiftly .local/share/swiftly .platformio .espressif",
  // Ruby, PHP, Perl
  ".rbenv .rvm .gem .local/share/gem .phpenv .config/composer/vendor .composer/vendor .plenv perl5",
  // JVM, .NET, Android, Dart
  ".sdkman .jenv .dotnet .nuget/packages .local/share/coursier Android/Sdk .pub-cache",
  // Haskell, OCaml, Julia, Elixir, Lean
  ".ghcup .stack .opam .juliaup .julia .mix .elan .choosenim .nimble",
  // Many of them
  ".asdf .local/share/mise .local/share/rtx .proto .tfenv .nix-profile .local/state/nix/profiles .linuxbrew .local/bin",
].flatMap((line) => line.split(" "));

/**
 * Where programs below $HOME keep passwords, tokens and keys. Most lie outside what is shown; those inside a toolchain,
 * or inside a folder that a profile shows, are hidden one by one.
 */
export const CREDENTIALS = [
  ".ssh .gnupg .aws .azure .kube .docker .oci .config/gcloud .config/gh .config/hub .config/glab-cli",
  ".netrc .npmrc .yarnrc .yarnrc.yml .pypirc .git-credentials .config/git/credentials .gitconfig .config/git/config .vault-token .pgpass .my.cnf",
  ".cargo/credentials .cargo/credentials.toml .gem/credentials .local/share/gem/credentials .local/share/uv/credentials",
  ".pub-cache/credentials.json .julia/servers .composer/auth.json .config/composer/auth.json .platformio/.account",
  ".m2/settings.xml .m2/settings-security.xml .gradle/gradle.properties .nuget/NuGet .config/NuGet .terraform.d .hex",
  // Keyrings, browsers and mail: cookies are as good as passwords.
  ".local/share/keyrings .local/share/kwalletd .password-store .config/op .config/1Password .config/Bitwarden .config/keepassxc",
  ".mozilla .thunderbird .config/google-chrome .config/chromium .config/BraveSoftware .config/microsoft-edge .config/vivaldi",
  ".config/opera .config/epiphany .local/share/epiphany .librewolf .zen .waterfox .var/app snap/firefox snap/chromium snap/thunderbird",
  ".config/Slack .config/discord .config/Signal .config/Element .local/share/TelegramDesktop .config/evolution .local/share/evolution",
  // Editors and agents keep the tokens of their accounts.
  ".config/Code .config/VSCodium .config/Cursor .vscode-server .vscode-server-insiders .cursor-server .vscode-oss .config/github-copilot",
  ".claude .claude.json .codex .gemini .config/anthropic .config/openai .continue .aider.conf.yml .config/JetBrains .local/share/JetBrains",
  // Clouds, registries, deployments.
  ".config/containers/auth.json .config/helm .config/rclone .config/doctl .config/hcloud .config/heroku .config/netlify .config/fly .fly",
  ".config/stripe .config/sops .config/age .config/ngrok .ngrok2 .s3cfg .boto .config/gsutil .databrickscfg .snowflake .dbt .kaggle",
  ".cache/huggingface/token .huggingface .config/configstore .config/gh-copilot .config/pulumi .pulumi .terraformrc .ansible .chef",
  // Wallets.
  ".bitcoin .ethereum .electrum .config/solana .local/share/solana .monero",
  // What was typed.
  ".bash_history .zsh_history .local/share/fish/fish_history .python_history .node_repl_history .psql_history .mysql_history",
  ".sqlite_history .rediscli_history .lesshst .viminfo .local/share/recently-used.xbel .mongodb",
].flatMap((line) => line.split(" "));

/** Folders that hold much besides programs: never shown whole because a program in them is on the PATH. */
const TOO_WIDE = new Set([
  "",
  ".local",
  ".local/share",
  ".config",
  ".cache",
  "Documents",
  "Desktop",
  "Downloads",
  "snap",
]);

/** What lies beside `bin` in the folder of an installation (and not in somebody's project). */
const INSTALLATION = new Set(["lib", "lib64", "libexec", "share", "include", "pyvenv.cfg", "conda-meta"]);

async function realOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    // Not there, a dangling link, or not ours to see: then it is no toolchain of ours.
    return undefined;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** The home folder, ours or somebody else's, that a path lies below. */
function homeAround(path: string, home: string, others: readonly string[]): string | undefined {
  if (isInside(path, home)) {
    return home;
  }
  const other = others.find((folder) => isInside(path, folder) && path !== folder);
  // "/home" holds homes: the one meant is the next name ("/home/linuxbrew").
  return other !== undefined && basename(other) === "home"
    ? path.split("/", other.split("/").length + 1).join("/")
    : other;
}

function isTooWide(path: string, home: string): boolean {
  return TOO_WIDE.has(path.slice(home.length + 1));
}

/** The folder to show for a `bin` on the PATH: the installation around it where it is one, else the `bin` alone. */
async function installationOf(folder: string, home: string): Promise<string> {
  // A shim is nothing without the manager around it (pyenv's call its libexec).
  const known = KNOWN.map((name) => join(home, name)).find((root) => isInside(folder, root));
  if (known !== undefined) {
    return known;
  }
  const prefix = dirname(folder);
  if (basename(folder) !== "bin" || !isInside(prefix, home) || isTooWide(prefix, home)) {
    return folder;
  }
  const names = await namesIn(prefix);
  const isProject = names.includes(".git") || names.includes("package.json");
  return !isProject && names.some((name) => INSTALLATION.has(name)) ? prefix : folder;
}

/** The real paths below home that the links in a folder of programs lead to. */
async function targetsOf(folder: string, home: string): Promise<string[]> {
  const targets = await Promise.all(
    (await namesIn(folder)).map(async (name): Promise<string | undefined> => {
      const path = join(folder, name);
      try {
        if (!(await lstat(path)).isSymbolicLink()) {
          return undefined;
        }
      } catch {
        return undefined;
      }
      const real = await realOf(path);
      return real !== undefined && isInside(real, home) && !isInside(real, folder) ? real : undefined;
    }),
  );
  return targets.filter((target) => target !== undefined);
}

/**
 * The toolchains below a home folder, and those on the PATH that lie in another's (/home/linuxbrew, or /root where HOME
 * was set to something else).
 * @param home real path
 * @param others real paths of the other folders that hold homes
 * @param path the variable PATH
 * @returns in no order; one may lie inside another
 */
export async function findToolchains(home: string, others: readonly string[], path: string): Promise<Toolchain[]> {
  const found = new Map<string, string>();
  const otherHomes = new Map<string, string>();
  const add = (seen: string, real: string, around = home): void => {
    // A link to the whole home (or to what holds it) would undo the hiding.
    if (!isInside(around, real)) {
      found.set(seen, real);
      if (around !== home) {
        otherHomes.set(seen, around);
      }
    }
  };
  await Promise.all(
    KNOWN.map(async (name) => {
      const real = await realOf(join(home, name));
      if (real !== undefined) {
        add(join(home, name), real);
      }
    }),
  );
  /** Folders of programs, with the home folder around each. */
  const folders = new Map(
    [...found].filter(([seen]) => basename(seen) === "bin").map(([, real]): [string, string] => [real, home]),
  );
  for (const entry of new Set(path.split(":"))) {
    const real = entry.startsWith("/") ? await realOf(entry) : undefined;
    const around = real === undefined ? undefined : homeAround(real, home, others);
    if (real === undefined || around === undefined || isTooWide(real, around)) {
      continue;
    }
    folders.set(real, around);
    const shown = await installationOf(real, around);
    add(shown, shown, around);
    if (entry !== real) {
      add(entry, real, around);
    }
  }
  for (const [folder, around] of folders) {
    for (const target of await targetsOf(folder, around)) {
      if (![...found.values()].some((real) => isInside(target, real))) {
        // A program outside any known folder: with its installation if it stands in one, else it alone.
        const shown = await installationOf(dirname(target), around);
        const alone = shown === dirname(target) ? target : shown;
        add(alone, alone, around);
      }
    }
  }
  return [...found].map(([seen, real]) => {
    const otherHome = otherHomes.get(seen);
    return { path: seen, real, ...(otherHome === undefined ? {} : { otherHome }) };
  });
}

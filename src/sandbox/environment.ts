// Which variables a sandbox gets. Clean by default: a variable is passed on because it is known to be harmless and
// useful, never because nobody thought of it. Tokens live in variables, and so do the addresses of sockets.

import { CACHE_VARIABLES } from "./caches";
import type { ResolvedProfile } from "./schema";

/** Passed on by name. A name that ends in "*" stands for all that begin so. */
const HARMLESS = [
  ...CACHE_VARIABLES,
  "PATH USER LOGNAME SHELL LANG LANGUAGE LC_* TZ EDITOR VISUAL PAGER LESS CI DEBIAN_FRONTEND SOURCE_DATE_EPOCH",
  "TERM COLORTERM TERM_PROGRAM TERM_PROGRAM_VERSION NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE LS_COLORS",
  // Where toolchains are.
  "JAVA_HOME JDK_HOME M2_HOME MAVEN_HOME GRADLE_HOME KOTLIN_HOME SCALA_HOME SDKMAN_DIR JENV_ROOT",
  "CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN RUST_BACKTRACE GOPATH GOROOT GOBIN GOFLAGS GOTOOLCHAIN GOENV_ROOT",
  "PYENV_ROOT PYENV_VERSION VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_EXE",
  "PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE RBENV_ROOT RBENV_VERSION GEM_HOME GEM_PATH",
  "NVM_DIR NVM_BIN FNM_DIR FNM_MULTISHELL_PATH VOLTA_HOME N_PREFIX NODE_ENV PNPM_HOME BUN_INSTALL DENO_INSTALL DENO_DIR",
  "ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR DOTNET_ROOT GHCUP_INSTALL_BASE_PREFIX STACK_ROOT OPAMROOT OPAM_SWITCH_PREFIX",
  "OCAML_TOPLEVEL_PATH CAML_LD_LIBRARY_PATH JULIA_DEPOT_PATH JULIAUP_DEPOT_PATH",
  "ANDROID_HOME ANDROID_SDK_ROOT ANDROID_NDK_HOME FLUTTER_ROOT NIX_PATH NIX_PROFILES LOCALE_ARCHIVE FONTCONFIG_FILE",
  // How programs are built.
  "CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MAKEFLAGS PKG_CONFIG_PATH",
  "CMAKE_GENERATOR CMAKE_PREFIX_PATH CMAKE_BUILD_PARALLEL_LEVEL",
  // Which certificates are trusted: names of public files.
  "SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO PIP_CERT",
  "NIX_SSL_CERT_FILE",
].flatMap((line) => line.split(" "));

/** Stays out even where a pattern or "all" would let it in: the editor's own workings, which change what Node and Electron do. */
const EDITORS_OWN =
  /^(VSCODE_|ELECTRON_|CHROME_DESKTOP$|GDK_PIXBUF_|ORIGINAL_XDG_|NODE_OPTIONS$|NODE_CHANNEL_|NODE_UNIQUE_ID$)/;

/** A name that a pattern must not let in. */
const SECRET = /TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|COOKIE|SESSION/i;

/** Whether the name of a variable says that its value is a secret. */
export function looksSecret(name: string): boolean {
  return SECRET.test(name);
}

const HARMLESS_NAMES: ReadonlySet<string> = new Set(HARMLESS.filter((known) => !known.endsWith("*")));
const HARMLESS_BEGINNINGS = HARMLESS.filter((known) => known.endsWith("*")).map((known) => known.slice(0, -1));

/** Whether every sandbox gets a variable of this name. */
export function isHarmless(name: string): boolean {
  return (
    HARMLESS_NAMES.has(name) ||
    (HARMLESS_BEGINNINGS.some((beginning) => name.startsWith(beginning)) && !looksSecret(name))
  );
}

/**
 * The variables of a sandbox.
 * @param source what is filtered: the command's `env`, or the editor's
 * @param fixed what the sandbox itself decides (HOME, TMPDIR); the profile's `set` still wins
 */
export function sandboxEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  rule: ResolvedProfile["environment"],
  fixed: Readonly<Record<string, string>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || EDITORS_OWN.test(name)) {
      continue;
    }
    if (rule.inherit === "all" || rule.inherit.includes(name) || isHarmless(name)) {
      result[name] = value;
    }
  }
  return { ...result, ...fixed, ...rule.set };
}

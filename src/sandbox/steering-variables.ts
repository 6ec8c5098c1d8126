// Variables that decide what programs do rather than tell them a fact: which code is loaded into them, which file is run
// under a name, where a tool takes its configuration from, whom it talks to. A task that sets one of these makes a
// familiar command do something else, in its own line and in every terminal that is opened inside; so it is shown.

/** Whole names, and beginnings ("GIT_*"), each with what such a variable does. Upper case; looked up in upper case. */
const STEERING: readonly (readonly [names: string, does: string])[] = [
  ["PATH", "decides which program runs under a name"],
  ["HOME XDG_* ZDOTDIR", "decides where programs take their configuration from"],
  ["LD_* GCONV_PATH GLIBC_TUNABLES", "loads code into every program (ld.so(8))"],
  ["ENV BASH_ENV BASH_FUNC_* PROMPT_COMMAND SHELLOPTS BASHOPTS", "is run by shells when they start"],
  ["SHELL EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE", "names a program that others run"],
  ["NODE_OPTIONS NODE_PATH", "loads code into every Node program"],
  ["PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONUSERBASE", "loads code into every Python program"],
  ["PERL5OPT PERL5LIB PERL5DB PERLLIB RUBYOPT RUBYLIB LUA_INIT*", "loads code into every program of that language"],
  [
    "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH MAVEN_OPTS GRADLE_OPTS",
    "loads code into Java programs",
  ],
  ["RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_RUSTC*", "names a program that cargo runs"],
  ["GIT_*", "changes what git does, and which programs it runs"],
  ["SSH_*", "changes what ssh does and which keys it uses"],
  [
    "NPM_CONFIG_* YARN_* PIP_* UV_INDEX* CARGO_REGISTRIES_* GOPROXY GOFLAGS GONOSUMDB GOSUMDB GOINSECURE",
    "decides where packages come from",
  ],
  ["HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY NO_PROXY", "decides through whom programs reach the network"],
  [
    "SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED REQUESTS_CA_BUNDLE CURL_CA_BUNDLE",
    "decides whose certificates are believed",
  ],
];

const RULES = STEERING.flatMap(([names, does]) => names.split(" ").map((name) => ({ name, does })));

/** What a variable of this name does to programs; undefined when it only tells them something. */
export function steers(variable: string): string | undefined {
  // Some are read in lower case (http_proxy, npm_config_registry).
  const upper = variable.toUpperCase();
  return RULES.find(({ name }) => (name.endsWith("*") ? upper.startsWith(name.slice(0, -1)) : upper === name))?.does;
}

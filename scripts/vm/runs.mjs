// What the test machine runs: which compiled tests, as whom. Shared by the host, which makes the job and reads the
// reports, and by the machine itself.

const MINUTE = 60_000;

/** How much slower the machine is than one that is not emulated, beside a second one; limits of tests are raised by it. */
export const SLOWNESS = 20;

/** The ordinary user of the machine. */
export const USER = "tester";

/**
 * root: as a service of the system, in a cgroup of its own that is not delegated.
 * session: the user, logged in through PAM; its cgroup is a session's scope, which is not the user's, so that a cgroup
 *   has to be asked of systemd. This is how an editor runs that was started from a login shell or a desktop session.
 * service: the user, in a service of its own service manager with Delegate=yes; its cgroup is the user's.
 * @typedef {"root" | "session" | "service"} As
 */

/**
 * @typedef {object} Run
 * @property {string} name in the sum of npm test
 * @property {As} as
 * @property {string[]} files patterns of compiled tests
 * @property {string[]} leftOut compiled tests not to run
 * @property {number} limitMs
 */

const NATIVE = "out/test/native/**/*.test.js";

/** First: whoever has got a scope from systemd in a login session stays in it, and needs no other. */
const SCOPE = "out/test/native/cgroup-systemd.test.js";

/** Compilers and binutils are not there, nor strace; what these say of the built files and steps is no news there. */
const LEFT_OUT = ["portability.test.js", "explain/*"].map((name) => `out/test/native/${name}`);

/** The tests that need a real cgroup v2 hierarchy. */
const LIMITS = [SCOPE, "out/test/native/*cgroup*.test.js"];

/**
 * @param {string} what
 * @param {import("./image.mjs").Kernel} kernel
 */
const nameOf = (what, kernel) => `vm${kernel === "newest" ? " with the newest kernel" : ""}: ${what}`;

/** @param {import("./image.mjs").Kernel} kernel @returns {Run[]} */
export function limitRuns(kernel) {
  const run = (as, who) => ({
    name: nameOf(`limits as ${who}`, kernel),
    as,
    files: LIMITS,
    leftOut: [],
    limitMs: 20 * MINUTE,
  });
  return [run("root", "root"), run("session", "user in a session"), run("service", "user in a delegated service")];
}

/** @param {"root" | "session"} as @param {import("./image.mjs").Kernel} kernel @returns {Run} */
export const nativeRun = (as, kernel) => ({
  name: nameOf(`native as ${as === "root" ? "root" : "user in a session"}`, kernel),
  as,
  files: [SCOPE, NATIVE],
  leftOut: LEFT_OUT,
  limitMs: 120 * MINUTE,
});

/** @param {Run} run @returns {string} name of its report's file */
export const reportFile = (run) => `${run.name.replaceAll(/\W+/g, "-")}.json`;

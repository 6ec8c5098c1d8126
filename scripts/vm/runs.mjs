// What the test machine runs: which compiled tests, as whom. Shared by the host, which makes the job and reads the
// reports, and by the machine itself.

const MINUTE = 60_000;

/** How much slower the machine is than one that is not emulated; limits of tests are raised by it. */
export const SLOWNESS = 10;

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

/** Compilers and binutils are not there, nor strace; what these say of the built files and steps is no news there. */
const LEFT_OUT = ["portability.test.js", "explain/*"].map((name) => `out/test/native/${name}`);

/** The tests that need a real cgroup v2 hierarchy. */
const LIMITS = ["out/test/native/*cgroup*.test.js"];

/** @type {Run[]} */
export const LIMIT_RUNS = [
  { name: "vm: limits as root", as: "root", files: LIMITS, leftOut: [], limitMs: 20 * MINUTE },
  { name: "vm: limits as user in a session", as: "session", files: LIMITS, leftOut: [], limitMs: 20 * MINUTE },
  {
    name: "vm: limits as user in a delegated service",
    as: "service",
    files: LIMITS,
    leftOut: [],
    limitMs: 20 * MINUTE,
  },
];

/** @type {Run[]} */
export const NATIVE_RUNS = [
  { name: "vm: native as root", as: "root", files: [NATIVE], leftOut: LEFT_OUT, limitMs: 120 * MINUTE },
  { name: "vm: native as user in a session", as: "session", files: [NATIVE], leftOut: LEFT_OUT, limitMs: 120 * MINUTE },
];

/** @param {Run} run @returns {string} name of its report's file */
export const reportFile = (run) => `${run.name.replaceAll(/\W+/g, "-")}.json`;

// What is started, and how: by us and by the others, always the same program that does nothing.

import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { timed } from "./measure.mjs";

const SEVEN = [
  "CLONE_NEWUSER",
  "CLONE_NEWNS",
  "CLONE_NEWPID",
  "CLONE_NEWIPC",
  "CLONE_NEWUTS",
  "CLONE_NEWCGROUP",
  "CLONE_NEWNET",
];

/** @param {string} label @param {string} file @param {readonly string[]} args */
async function nodeStart(label, file, args) {
  const start = () =>
    new Promise((resolve, reject) => {
      spawn(file, args, { stdio: "ignore" }).once("error", reject).once("exit", resolve);
    });
  const { total, blocked } = await timed(label, start);
  // Woken by a signal, libuv 1.46 does not count the time before as idle: what it says that the loop did is no use.
  return { total, blocked };
}

function sevenNamespaces(init) {
  const [uid, gid] = [process.geteuid(), process.getegid()];
  return {
    stdio: "ignore",
    sys: {
      cloneflags: SEVEN,
      uidMappings: [{ containerID: uid, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: gid, hostID: gid, size: 1 }],
      init,
    },
  };
}

/**
 * Child_process and what this project brings.
 * @param {typeof import("../../src/api")} api dist/api.js
 * @param {import("./place.mjs").Place} place
 * @returns {import("./measure.mjs").Case[]}
 */
export function ownCases(api, { workspace, programs: { nothing } }) {
  const ours = async (options) => (await (await api.spawn(nothing, [], options)).exited).code;
  const build = async () => {
    const sandbox = await api.sandbox.run({ file: nothing, stdio: "ignore" }, "build", { workspace });
    return (await sandbox.exited).code;
  };
  const of = (id, label, start) => ({ id, label, run: () => timed(label, start) });
  return [
    { id: "node", label: "child_process.spawn", run: () => nodeStart("child_process.spawn", nothing, []) },
    of("plain", "spawn()", () => ours({ stdio: "ignore" })),
    of("seven", "spawn(), seven namespaces", () => ours(sevenNamespaces(false))),
    of("init", "spawn(), seven namespaces, our PID 1", () => ours(sevenNamespaces(true))),
    of("build", 'sandbox.run(), profile "build"', build),
  ];
}

/** Commands of others that make a sandbox; `package` is Debian's. */
export function peers({ workspace, programs: { nothing } }) {
  return [
    {
      id: "bwrap",
      command: "bwrap",
      package: "bubblewrap",
      args: [
        "--unshare-all",
        "--ro-bind",
        "/",
        "/",
        "--tmpfs",
        homedir(),
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        "--bind",
        workspace,
        workspace,
        "--die-with-parent",
        nothing,
      ],
    },
    { id: "unshare", command: "unshare", package: "util-linux", args: ["-Urpfmn", "--mount-proc", nothing] },
  ];
}

/**
 * How a peer is started. By our spawn(), the fastest way that there is, so that the ratio does not flatter us; and by
 * child_process, as an extension would have to.
 * @param {typeof import("../../src/api")} api
 * @returns {import("./measure.mjs").Case[]}
 */
export function peerCases(api, { id, command, args }) {
  const bySpawn = async () => (await (await api.spawn(command, args, { stdio: "ignore" })).exited).code;
  return [
    { id, label: command, run: () => timed(command, bySpawn) },
    {
      id: `${id}-node`,
      label: `${command}, by child_process`,
      run: () => nodeStart(command, command, args),
    },
  ];
}

/** @param {import("./limit.mjs").Limit} limit @returns {import("./measure.mjs").Case[]} */
export function limitCases(limit) {
  const of = (id, label) => ({
    id: `c-${id}`,
    label,
    run: async () => ({ total: (await limit.measure(id))[0] }),
  });
  return [of("plain", "in C: clone + exec"), of("seven", "in C: clone + exec, seven namespaces")];
}

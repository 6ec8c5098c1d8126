// Capabilities inside: none by default in any set, exactly those of the profile otherwise, and none that undoes a mount.

import assert from "node:assert/strict";
import { GRANTABLE_NAMES } from "../../src/sandbox/capabilities";
import { CAPABILITIES, capabilityMask } from "../../src/spawner/capabilities";
import { listing, World } from "./sandbox-world";

const SETS = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
const STATUS = "grep ^Cap /proc/self/status";

/** prctl(PR_GET_SECUREBITS), by number: 157 on x86-64, 167 on arm64. */
const SECUREBITS = `perl -e 'print "securebits ", syscall(${process.arch === "arm64" ? 167 : 157}, 27), "\\n"'`;

describe("sandbox, capabilities", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  const expected = (mask: bigint): string =>
    SETS.map((set) => `${set}:\t${mask.toString(16).padStart(16, "0")}\n`).join("");

  for (const profile of ["strict", "build", "install", "shell"]) {
    it(`are none in any of the five sets: ${profile}`, async () => {
      const { output } = await world.run(`${STATUS}; ${SECUREBITS}`, profile);
      assert.equal(output, `${expected(0n)}securebits 0\n`);
    });
  }

  it("are exactly those that the profile grants, in every set, and a child's too", async () => {
    const granted = ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW"] as const;
    const profile = { extends: "build", capabilities: [...granted] };
    const { output } = await world.run(`sh -c '${STATUS}'`, profile);
    assert.equal(output, expected(capabilityMask(granted)));
    const bind =
      "perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0); print bind(S,pack_sockaddr_in(80,INADDR_LOOPBACK)) ? qq(bound\\n) : qq($!\\n)'";
    assert.equal((await world.run(bind, profile)).output, "bound\n");
  });

  it("are the same for a command that joins", async () => {
    const sandbox = await world.start("read line", { extends: "build", capabilities: ["CAP_NET_RAW"] });
    const joined = await sandbox.exec({ file: "sh", args: ["-c", `${STATUS} > out`], stdio: "ignore" });
    await joined.exited;
    const { output } = await world.run("cat out");
    assert.equal(output, expected(capabilityMask(["CAP_NET_RAW"])));
  });

  it("never undo what is mounted, all of them together", async () => {
    world.makeRepository();
    world.write("home/project/.env", "secret\n");
    world.write("home/.ssh/id", "secret\n");
    const before = listing(world.workspace);
    const { output } = await world.run(
      [
        "umount .env; umount -l .git/hooks; mount -o remount,bind,rw .git/hooks; mount --bind /tmp .git/hooks; mount -t tmpfs none .git",
        "umount ~ ; nsenter -t 1 -m true; chroot / umount .env; unshare -m umount .env; unshare -Urm sh -c 'umount .env; umount .git/hooks; umount .git'",
        "mknod d b 8 0; mknod m c 1 1; cat .env ~/.ssh/id; echo evil > .git/hooks/pre-commit; ls /proc/1/root/ > /dev/null",
      ].join("\n"),
      { extends: "build", filesystem: { hide: [".env"] }, capabilities: [...GRANTABLE_NAMES] },
    );
    assert.ok(!output.includes("secret"), output);
    assert.deepEqual(listing(world.workspace), before, output);
  });

  it("over the host's network are refused by name", async () => {
    await assert.rejects(world.run("true", { extends: "install", capabilities: ["CAP_KILL", "CAP_NET_ADMIN"] }), {
      name: "ProfileError",
      message: /^capabilities\[1\]: CAP_NET_ADMIN allows nothing with network "host"/,
    });
  });

  it("that may be granted are known to the spawner", () => {
    assert.ok(GRANTABLE_NAMES.every((name) => CAPABILITIES.includes(name)));
  });
});

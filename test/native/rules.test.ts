// The rules on combinations of options, each by what it says, by options that it leaves alone, and by what the kernel
// itself says.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { LIBRARY, LIBRARY_NODE } from "../support/library";
import { skipBecause } from "../support/skip";
import { hasPerl, kernelSays } from "./kernel";
import { CASES, ROOT } from "./rule-cases";
import { api, inNamespaces, type Options, rejection, run } from "./spawner-world";

for (const [subject, cases] of Object.entries(CASES)) {
  describe(`validate, ${subject}`, () => {
    for (const { rule, options, path, words, sound, by } of cases) {
      it(rule, () => {
        const caller = { ...ROOT, ...by };
        const problems = api.validate(options as Options, caller);
        const about = problems.filter((problem) => problem.path === path);
        assert.ok(
          about.some(({ message }) => words.test(message)),
          JSON.stringify(problems),
        );
        if (sound !== undefined) assert.deepEqual(api.validate(sound as Options, caller), []);
      });
    }
  });
}

describe("the kernel refuses too", () => {
  before(function () {
    if (!hasPerl) skipBecause(this, "there is no perl to make the system calls with");
  });

  it("and takes what is sound", () => {
    assert.equal(kernelSays("fork3(SYSVSEM | IO | UNTRACED | CLEAR_SIGHAND, 17)"), "ok");
    assert.equal(kernelSays("maps(0); call('unshare', NEWNS | NEWTIME); call('setsid')"), "ok");
  });

  for (const { rule, kernel } of Object.values(CASES).flat()) {
    if (kernel === undefined) continue;
    const [lines, errno] = kernel;
    it(`${rule}: ${errno}`, () => assert.equal(kernelSays(lines), errno));
  }
});

describe("validate, the caller", () => {
  it("is found out: in a real chroot no user namespace can be had, and the error says so", async () => {
    const folders = readdirSync("/", { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const binds = folders.map(({ name }) => ({
      destination: `/inner/${name}`,
      source: `/${name}`,
      options: ["rbind"],
    }));
    const links = readdirSync("/", { withFileTypes: true })
      .filter((entry) => entry.isSymbolicLink())
      .map(({ name }) => ({ destination: `/inner/${name}`, type: "symlink" as const, source: `usr/${name}` }));
    const { sys } = inNamespaces(["CLONE_NEWNS"], { rootfs: {}, mounts: [...binds, ...links], chroot: "/inner" });
    const script = `
      const api = require(${JSON.stringify(LIBRARY)});
      const sys = { cloneflags: ["CLONE_NEWUSER"] };
      const [problem] = api.validate({ sys });
      api.spawn("true", [], { sys }).catch((error) => console.log(error.step, problem.message));`;
    const { stdout, stderr } = await run(LIBRARY_NODE, ["-e", script], { sys });
    assert.match(stdout, /^validate CLONE_NEWUSER is refused to a process in a chroot/, stderr);
  });

  it("is this process unless told otherwise", async () => {
    const [own] = process.getuid === undefined ? [] : [process.getuid()];
    const other = (own ?? 0) + 1;
    const options: Options = {
      sys: {
        cloneflags: ["CLONE_NEWUSER"],
        uidMappings: [{ containerID: 0, hostID: other, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: other, size: 1 }],
      },
    };
    const problems = api.validate(options);
    if (own === 0) {
      assert.deepEqual(problems, []);
      return;
    }
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["sys.uidMappings", "sys.gidMappings"],
    );
    assert.equal((await rejection(api.spawn("true", [], options))).step, "validate");
  });
});

// "Allow this": what becomes of the user's profiles.

import assert from "node:assert/strict";
import { changeToAllow } from "../../src/sandbox/allow";
import { BUILT_IN_PROFILES, resolveProfile } from "../../src/sandbox/profiles";

const READ = { filesystem: { read: ["/srv/data"] } };

describe("allowing what was refused", () => {
  it("makes an entry that changes the built-in profile of its name, and only that", () => {
    for (const name of Object.keys(BUILT_IN_PROFILES)) {
      const { profile, isNew, before, after, profiles } = changeToAllow({}, name, READ);
      assert.deepEqual(
        { profile, isNew, before, after },
        { profile: name, isNew: true, before: undefined, after: { extends: name, ...READ } },
      );
      for (const other of Object.keys(BUILT_IN_PROFILES)) {
        const was = resolveProfile(other);
        const is = resolveProfile(other, profiles);
        if (other !== name) assert.deepEqual(is, was);
        else assert.deepEqual(is, { ...was, filesystem: { ...was.filesystem, read: ["/srv/data"] } });
      }
    }
  });

  it("adds to the user's entry and leaves the rest as it is", () => {
    const mine = { extends: "install", filesystem: { read: ["~/x"], tmp: "shared" }, network: "none" };
    const own = { mine, other: { extends: "strict" } };
    const { isNew, before, after, profiles } = changeToAllow(own, "mine", { ...READ, network: "host" });
    assert.equal(isNew, false);
    assert.deepEqual(before, mine);
    assert.deepEqual(after, {
      extends: "install",
      filesystem: { read: ["~/x", "/srv/data"], tmp: "shared" },
      network: "host",
    });
    assert.deepEqual(profiles, { ...own, mine: after });
    assert.deepEqual(own.mine, { extends: "install", filesystem: { read: ["~/x"], tmp: "shared" }, network: "none" });
  });

  it("changes nothing twice", () => {
    const once = changeToAllow({}, "build", READ);
    const twice = changeToAllow(once.profiles, "build", READ);
    assert.deepEqual(twice.after, twice.before);
  });

  it("keeps what an entry extends, whatever the denial says", () => {
    const { after } = changeToAllow({ mine: { extends: "strict" } }, "mine", { extends: "build", network: "host" });
    assert.deepEqual(after, { extends: "strict", network: "host" });
  });

  it("changes the profile that a task has extended, unless one has that very name", () => {
    assert.equal(changeToAllow({}, "build (changed)", READ).profile, "build");
    assert.equal(changeToAllow({ "a (changed)": {} }, "a (changed)", READ).profile, "a (changed)");
  });
});

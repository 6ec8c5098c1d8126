// The second wall: which Landlock rules follow from which places.

import assert from "node:assert/strict";
import { mixedFolders } from "../../src/sandbox/wall";
import { validate } from "../../src/spawner/validate";
import { compiled } from "./compiled";

type Ref = Parameters<typeof compiled>[0];
type Facts = Parameters<typeof compiled>[1];

/** Path to rights, as the rules say. */
function wall(ref: Ref, facts?: Facts): Record<string, readonly string[]> {
  const { rules = [] } = compiled(ref, facts).sys?.landlock ?? {};
  assert.equal(new Set(rules.map(({ path }) => path)).size, rules.length, "one rule a path");
  return Object.fromEntries(rules.map(({ path, access }) => [path, access]));
}

const READ = ["execute", "read_file", "read_dir"];

describe("the second wall", () => {
  it("lets be read what is beside the hidden, and nothing that is hidden", () => {
    const rules = wall("build");
    const read = Object.keys(rules).filter((path) => rules[path]?.join() === READ.join());
    assert.deepEqual(read.sort(), ["/etc", "/opt", "/srv", "/sys", "/usr", "/var/lib", "/var/log"]);
    assert.deepEqual(rules["/"], ["read_dir"], "names alone");
    assert.equal(rules["/var"], undefined);
  });

  it("lets be changed what is the sandbox's own and the workspace, but for devices", () => {
    const rules = wall("build");
    for (const path of ["/tmp", "/var/tmp", "/run", "/home", "/root"]) {
      assert.ok(rules[path]?.includes("make_reg") && rules[path]?.includes("refer"), path);
      assert.ok(!rules[path]?.includes("make_char") && !rules[path]?.includes("ioctl_dev"), path);
    }
    assert.equal(rules["/home/me/project"], undefined, "it lies in a home folder of the sandbox's own");
    assert.ok(rules["/dev"]?.includes("ioctl_dev") && !rules["/dev"]?.includes("make_reg"));
    assert.ok(rules["/dev/mqueue"]?.includes("read_file"), "mq_open(3) has no /dev above its queues");
    assert.ok(!rules["/proc"]?.includes("execute"));
  });

  it("names the workspace where what is around it can only be read", () => {
    const facts = {
      workspace: "/srv/a/project",
      entries: { "/": ["srv", "usr"], "/srv": ["a", "b"], "/srv/a": ["project", "other"] },
    };
    const rules = wall("build", facts);
    assert.ok(rules["/srv/a/project"]?.includes("write_file"));
    assert.deepEqual(rules["/srv/a/other"], READ);
    assert.deepEqual(rules["/srv/b"], READ);
    assert.equal(rules["/srv/a"], undefined);
    assert.deepEqual(wall("strict", facts)["/srv"], READ, "with a workspace that is read it is all the same");
  });

  it("keeps out what a profile hides, though what is around it is shown", () => {
    const hide = ["/opt/vendor/key"];
    const facts: Facts = {
      paths: { "/opt/vendor/key": { real: "/opt/vendor/key", kind: "file" } },
      entries: { "/": ["opt", "usr"], "/opt": ["vendor"], "/opt/vendor": ["key", "bin"] },
    };
    const rules = wall({ extends: "build", filesystem: { hide } }, facts);
    assert.deepEqual(rules["/opt/vendor/bin"], READ);
    for (const path of ["/opt", "/opt/vendor", "/opt/vendor/key"]) assert.equal(rules[path], undefined, path);
  });

  it("closes ports where there is no network, and abstract sockets where it is the host's", () => {
    const of = (ref: Ref): NonNullable<NonNullable<ReturnType<typeof compiled>["sys"]>["landlock"]> =>
      compiled(ref).sys?.landlock ?? {};
    assert.deepEqual(of("strict").handledAccessNet, ["bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp"]);
    assert.equal(of("strict").ports, undefined);
    assert.deepEqual([of("build").handledAccessNet, of("build").scoped], [undefined, undefined]);
    assert.deepEqual(of("install").scoped, ["abstract_unix_socket"]);
    // A command that joins is in a domain beside: it and the sandbox's processes must be able to signal each other.
    assert.ok(["strict", "build", "install", "shell"].every((name) => !of(name).scoped?.includes("signal")));
  });

  it("holds whatever the kernel has, and is accepted by the spawner", () => {
    assert.equal(compiled("build").sys?.landlock?.minimumAbi, 0);
    assert.deepEqual(validate(compiled("build")), []);
    assert.equal(compiled({ extends: "build", landlock: "off" }).sys?.landlock, undefined);
  });

  it("needs the names in the folders around a path", () => {
    assert.deepEqual(mixedFolders(["/var/tmp", "/srv/a/b", "/tmp"]), ["/", "/var", "/srv", "/srv/a"]);
  });
});

// Landlock alone: what holds a sandbox where namespaces are refused. For real, in a process for which they are refused, as
// an ordinary user; by attempts from inside, each of which succeeds outside. test/escape has over a hundred more.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { LIBRARY_NODE } from "../support/library";
import { withoutNamespaces } from "../support/no-namespaces";
import { MARK, markedProcesses, waitUntil } from "../support/processes";
import { skipBecause } from "../support/skip";
import { makeTemp, removeTemp } from "../support/temp";
import type { Answer, Request } from "./hosts/alone";
import { api, World } from "./sandbox-world";
import { canOwn, isRoot } from "./spawner-world";

const HOST = resolve("out/test/native/hosts/alone.js");

type Ref = Exclude<Request["profile"], string>;

const ALONE: Ref = { extends: "build", fallback: "landlock" };

describe("Landlock alone", () => {
  let world: World;
  let temp: string;
  let mark: string;
  let hasLandlock = false;

  before(async () => {
    hasLandlock = await canOwn();
  });
  beforeEach(() => {
    temp = makeTemp("alone");
    world = new World();
    mark = randomUUID();
  });
  afterEach(async () => {
    await world.remove();
    removeTemp(temp);
  });

  function host(request: Partial<Request>, command = withoutNamespaces): ChildProcess {
    const { profile = ALONE } = request;
    const base: Ref = typeof profile === "string" ? { extends: profile } : profile;
    const environment = { ...base.environment, set: { ...base.environment?.set, [MARK]: mark } };
    const whole = { script: "true", context: world.context, ...request, profile: { ...base, environment } };
    const [file = "", ...args] = command([LIBRARY_NODE, HOST, JSON.stringify(whole)]);
    const env = { ...process.env, TMPDIR: temp, HOME: world.home };
    return spawn(file, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  }

  async function run(request: Partial<Request>, command = withoutNamespaces): Promise<Answer> {
    const { stdout } = host(request, command);
    assert.ok(stdout);
    return JSON.parse((await text(stdout)).trim().split("\n").at(-1) ?? "") as Answer;
  }

  /** What a script says inside; nothing may be wrong with the sandbox itself. */
  async function says(script: string, profile: Request["profile"] = ALONE): Promise<string> {
    const answer = await run({ script, profile });
    assert.equal(answer.error?.message, undefined);
    assert.equal(answer.isolation, "landlock");
    return answer.output;
  }

  const left = (): string =>
    markedProcesses(mark)
      .map(({ pid, command }) => `${pid} ${command}`)
      .join("\n");
  const nothingIsLeft = (): void => {
    assert.equal(left(), "");
    assert.deepEqual(readdirSync(temp), []);
  };

  it("is not for root, who is refused by name", async function () {
    if (!isRoot) skipBecause(this, "not root");
    const { error } = await run({});
    assert.match(
      error?.message ?? "",
      /^Namespaces are refused here \(clone3 .*ENOSPC.*\), and Landlock alone.*the user is root/,
    );
    assert.equal(error?.remedy, "Run the editor as an ordinary user.");
  });

  it("is never used where namespaces can be had", async () => {
    const sandbox = await world.start("true", ALONE);
    assert.equal(sandbox.isolation, "namespaces");
    assert.equal((await sandbox.ended).isolation, "namespaces");
  });

  it("is not used where the profile does not say so: the refusal names the cause, and that there is a fallback", async () => {
    const { error } = await run({ profile: "build" });
    assert.equal(error?.name, "SpawnError");
    assert.match(error?.message ?? "", /^clone3 new user, .*: ENOSPC/);
    assert.equal(error?.feature, "user namespace");
    assert.match(error?.remedy ?? "", /max_user_namespaces/);
    if (!isRoot && hasLandlock) assert.match(error?.remedy ?? "", /"fallback": "landlock"/);
  });

  describe("as an ordinary user", () => {
    before(function () {
      if (isRoot) skipBecause(this, "root is refused");
      if (!hasLandlock) skipBecause(this, "Landlock without a scope of signals (ABI 6)");
    });

    it("runs and builds, with a home and a folder for temporary files of its own, which end with it", async () => {
      const output = await says(
        'set -e; printf "int main(void) { return 0; }" > a.c; gcc a.c -o a; ./a; echo x > "$HOME/.x"; echo x > "$TMPDIR/y"; test "$XDG_RUNTIME_DIR" != ""; echo $HOME; echo built',
      );
      assert.match(output, new RegExp(`^${temp}/sandbox-tasks-[\\d-]+/home\nbuilt\n$`));
      assert.ok(existsSync(join(world.workspace, "a")));
      nothingIsLeft();
    });

    it("has no capability and gains no privilege", async () => {
      const output = await says("grep -E 'Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp:' /proc/self/status");
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
        assert.match(output, new RegExp(`${set}:\\s0+$`, "m"));
      assert.match(output, /NoNewPrivs:\s1$/m);
      assert.match(output, /Seccomp:\s2$/m);
    });

    it("reads and lists nothing that is hidden, and changes nothing outside of the workspace", async () => {
      world.write("home/.ssh/key", "secret\n");
      world.write("home/.cargo/bin/tool", "#!/bin/sh\necho tool\n", 0o755);
      world.write("home/.cargo/credentials.toml", "secret\n");
      world.write("other/file", "secret\n");
      symlinkSync(join(world.home, ".ssh/key"), join(world.workspace, "link"));
      writeFileSync(join(temp, "mine"), "secret\n");
      const output = await says(
        [
          `cat ${world.home}/.ssh/key link ${temp}/mine ${world.home}/.cargo/credentials.toml ~/.cargo/credentials.toml`,
          `ls ${world.home} ${world.home}/.ssh ${world.root} / /home /tmp /run /dev/shm /dev/pts`,
          `echo x > ${world.home}/.bashrc; echo x > ${world.home}/.cargo/bin/tool; echo x > /dev/shm/x; mv ../project ../moved`,
          `ln ${world.home}/.ssh/key hard && cat hard; cp ${world.home}/.ssh/key copy`,
          "~/.cargo/bin/tool",
        ].join("; "),
      );
      assert.doesNotMatch(output, /secret|\.ssh$|mine$|^key$/m);
      assert.match(output, /^tool$/m, "the toolchain can be used, by its place in the own home");
      assert.equal(readFileSync(join(world.home, ".cargo/bin/tool"), "utf8"), "#!/bin/sh\necho tool\n");
      assert.ok(!existsSync(join(world.home, ".bashrc")) && existsSync(world.workspace));
    });

    it("says of what was refused what would allow it, as a hint", async () => {
      world.write("other/file", "text\n");
      const other = join(world.root, "other");
      const script = `cat ${other}/file; echo x > ${other}/file; echo x > ${other}/new; cat /etc/shadow`;
      const hints = async (filesystem: Ref["filesystem"]) => {
        const { error, denials } = await run({ script, profile: { ...ALONE, filesystem } });
        assert.equal(error?.message, undefined);
        const found = denials.filter(({ rule }) => rule.startsWith("filesystem"));
        return found.map(({ rule, allow }) => `${rule} ${JSON.stringify(allow)}`).sort();
      };
      // One word for all: what is not shown at all may have been read.
      assert.deepEqual(await hints({}), [
        `filesystem.read {"filesystem":{"read":["${other}/file"]}}`,
        `filesystem.write {"filesystem":{"write":["${other}"]}}`,
      ]);
      assert.deepEqual(await hints({ read: [other] }), [
        `filesystem.write {"filesystem":{"write":["${other}"]}}`,
        `filesystem.write {"filesystem":{"write":["${other}/file"]}}`,
      ]);
      assert.deepEqual(await hints({ write: [other] }), []);
    });

    it("has package caches that begin empty, or the user's as the profile says", async () => {
      world.write("home/.npm/_cacache/entry", "cached\n");
      world.write("home/.cargo/registry/entry", "cached\n");
      world.write("home/.cargo/env", "an environment\n");
      const script =
        "cat ~/.npm/_cacache/entry ~/.cargo/registry/entry; cat ~/.cargo/env; echo x > ~/.npm/_cacache/new; ls ~/.npm/_cacache";
      const fresh = await says(script);
      assert.doesNotMatch(fresh, /^cached$/m);
      assert.match(fresh, /^an environment\nnew$/m);
      const shared = await says(script, { ...ALONE, filesystem: { caches: "shared" } });
      assert.match(shared, /cached\ncached\nan environment/);
      assert.ok(!existsSync(join(world.home, ".npm/_cacache/new")));
      await says(script, { ...ALONE, filesystem: { caches: "writable" } });
      assert.ok(existsSync(join(world.home, ".npm/_cacache/new")));
      assert.equal(readFileSync(join(world.home, ".cargo/env"), "utf8"), "an environment\n");
    });

    it("makes no socket that reaches anybody, and says which were refused", async () => {
      const server = createServer().listen({ path: join(world.workspace, "socket") });
      await once(server, "listening");
      const tries = `perl -MSocket -e '
        for (["AF_UNIX", 1, 1, 0], ["AF_INET", 2, 1, 0], ["AF_INET6", 10, 2, 0], ["AF_NETLINK", 16, 3, 0], ["AF_NETLINK_diag", 16, 3, 4])
          { my ($name, @how) = @$_; print $name, socket(my $s, $how[0], $how[1], $how[2]) ? " made" : " refused", "\\n" }
        for (["stream", 1], ["datagram", 2], ["seqpacket", 5])
          { my ($name, $type) = @$_; print $name, socketpair(my $a, my $b, 1, $type, 0) ? " made" : " refused", "\\n" }'`;
      try {
        const { output, denials } = await run({ script: tries });
        assert.equal(
          output,
          "AF_UNIX refused\nAF_INET refused\nAF_INET6 refused\nAF_NETLINK refused\nAF_NETLINK_diag refused\nstream made\ndatagram refused\nseqpacket refused\n",
        );
        const told = denials.find(({ what }) => what === "socket AF_INET");
        assert.equal(`${told?.rule} ${told?.allow}`, "fallback undefined");
        assert.equal(
          await says(tries, { ...ALONE, network: "host" }),
          "AF_UNIX refused\nAF_INET made\nAF_INET6 made\nAF_NETLINK made\nAF_NETLINK_diag refused\nstream made\ndatagram refused\nseqpacket refused\n",
        );
      } finally {
        server.close();
      }
    });

    it("changes no other process of the user's: by limits, priorities, processors, signals or their files", async () => {
      const victim = spawn("sleep", ["1000"], { stdio: "ignore" });
      try {
        const pid = String(victim.pid);
        const ways = [
          `prlimit --pid ${pid} --nofile=64:64`,
          `renice -n 5 -p ${pid}`,
          `ionice -c 3 -p ${pid}`,
          `taskset -p 1 ${pid}`,
          `chrt -b -p 0 ${pid}`,
          `kill -0 ${pid}`,
          `sh -c 'echo 500 > /proc/${pid}/oom_score_adj'`,
          `head -c1 /proc/${pid}/environ`,
        ];
        const script = ways.map((way, i) => `${way} >/dev/null 2>&1 && echo ${i}`).join("; ");
        const child = spawn("bash", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
        assert.equal((await text(child.stdout)).trim().split("\n").length, ways.length, "outside each succeeds");
        assert.equal(await says(`${script}; true`), "");
      } finally {
        victim.kill("SIGKILL");
      }
    });

    it("shares no memory and no queue with others", async () => {
      const output = await says(
        'ipcmk -M 10 2>&1; ipcmk -S 1 2>&1; ipcmk -Q 2>&1; perl -e \'my $q = "q"; print syscall(240, $q, 0102, 0600, 0) < 0 ? "no queue\\n" : "queue\\n"\' 2>&1',
      );
      assert.doesNotMatch(output, /id: \d/);
      if (process.arch === "x64") assert.match(output, /^no queue$/m);
    });

    it("is on a terminal of its own, and reaches no other", async () => {
      await using other = await api.spawn("cat", [], { terminal: { columns: 80, rows: 24 } });
      let typed = "";
      other.terminal?.output.on("data", (chunk: Buffer) => {
        typed += chunk;
      });
      const path = await waitUntil("it has its terminal", () => {
        const [found] = /^\/dev\/pts\/\d+/.exec(readlinkSync(`/proc/${other.pid}/fd/0`)) ?? [];
        return found;
      });
      const script = `stty size; echo tty > /dev/tty; echo reached > ${path}; head -c0 /dev/ptmx && echo ptmx; trap 'echo interrupted; exit 3' INT; echo ready > /dev/stderr; while :; do sleep 0.05; done`;
      const answer = await run({ script, terminal: true, action: "type", input: "\x03" });
      assert.match(answer.output, /ready\r\n/);
      assert.equal(answer.code, 3, answer.output);
      assert.doesNotMatch(answer.output, /^ptmx/m);
      assert.doesNotMatch(typed, /reached/);
      const resized = await run({ script: "echo ready; read; stty size; tty", terminal: true, action: "resize" });
      assert.match(resized.output, /45 123\r\n\/dev\/pts\/\d+/);
    });

    const refusals: readonly (readonly [
      what: string,
      profile: object,
      message: RegExp,
      remedy: RegExp,
      lay?: () => void,
    ])[] = [
      ["no filter of system calls", { seccomp: "off" }, /default filter of system calls/, /Set seccomp to "default"/],
      [
        "calls that the default filter refuses",
        { seccomp: { extends: "default", syscalls: [{ names: ["shmget"], action: "SCMP_ACT_ALLOW" }] } },
        /with more allowed than in that/,
        /Set seccomp/,
      ],
      ["no Landlock", { landlock: "off" }, /"landlock": "off" leaves nothing/, /Leave it out/],
      [
        "capabilities",
        { capabilities: ["CAP_KILL"] },
        /CAP_KILL can only be had in a user namespace/,
        /Leave capabilities/,
      ],
      [
        "copy-on-write",
        { filesystem: { workspace: "copy-on-write" } },
        /takes a mount of its own/,
        /"readonly" or "readwrite"/,
      ],
      [
        "a repository in a workspace that can be written",
        {},
        /git or the editor acts upon .*\.git\/hooks.* outside of any sandbox/,
        /filesystem.workspace to "readonly".*or give them up: "write": \["\.git\/hooks", "\.git\/config"\]/,
        () => world.makeRepository(),
      ],
      [
        "hidden places in a workspace that can be written",
        { filesystem: { hide: ["secret"] } },
        /project\/secret would be hidden or read-only inside .*project, which can be written/,
        /Name the folders/,
        () => mkdirSync(join(world.workspace, "secret")),
      ],
    ];
    for (const [what, profile, message, remedy, lay] of refusals) {
      it(`refuses by name what it can't hold: ${what}`, async () => {
        lay?.();
        const { error } = await run({ script: "touch ran", profile: { ...ALONE, ...profile } });
        assert.equal(error?.name, "SandboxError");
        assert.match(error?.message ?? "", message);
        assert.match(error?.remedy ?? "", remedy);
        assert.ok(!existsSync(join(world.workspace, "ran")));
        nothingIsLeft();
      });
    }

    it("has both ways out of protected paths: folders that can be written, and giving them up one by one", async () => {
      world.makeRepository();
      mkdirSync(join(world.workspace, "out"));
      const script = "echo x > out/x && echo written; echo x > .git/hooks/pre-commit && echo hooked";
      const folders: Ref = { ...ALONE, filesystem: { workspace: "readonly", write: ["out"] } };
      assert.match(await says(script, folders), /^written$/m);
      assert.match(readFileSync(join(world.workspace, ".git/hooks/pre-commit"), "utf8"), /original/);
      const givenUp = { ...ALONE, filesystem: { write: [".git/hooks", ".git/config"] } };
      assert.match(await says(script, givenUp), /^written\nhooked$/m);
      world.makeRepository();
      const withNamespaces = await world.run(script, givenUp);
      assert.doesNotMatch(withNamespaces.output, /^hooked$/m, "where they can be protected they are");
    });

    const RUNAWAY = "(setsid sleep 1000 &); (setsid bash -c 'trap \"\" TERM; sleep 1000' &); sleep 0.2; echo ready; ";

    for (const action of ["kill", "terminate", "freeze"] as const) {
      it(`leaves nothing when it is ended: ${action}`, async () => {
        const answer = await run({ script: `${RUNAWAY} sleep 1000`, action });
        assert.equal(answer.error?.message, undefined);
        assert.notEqual(answer.signal, null);
        nothingIsLeft();
      });
    }

    it("leaves nothing when its command ends, or its time is up", async () => {
      assert.equal((await run({ script: `${RUNAWAY} exit 5` })).code, 5);
      nothingIsLeft();
      const late = await run({ script: `${RUNAWAY} sleep 1000`, profile: { ...ALONE, limits: { wallTime: "2s" } } });
      assert.equal(late.reason, "timeout");
      nothingIsLeft();
    });

    it("removes what its programs have made unreadable for themselves", async () => {
      await says('mkdir -p "$HOME/a/b"; touch "$HOME/a/b/c"; chmod 000 "$HOME/a/b" "$HOME/a"; chmod 500 "$TMPDIR"');
      nothingIsLeft();
    });

    it("leaves no process when the editor is killed, and the next one removes the folder", async () => {
      const editor = host({ script: `${RUNAWAY} sleep 1000` });
      assert.ok(editor.stdout);
      await once(editor.stdout, "data");
      assert.notEqual(left(), "");
      editor.kill("SIGKILL");
      await waitUntil("nothing of it runs", () => left() === "");
      assert.equal(readdirSync(temp).length, 1);
      await says("true");
      nothingIsLeft();
    });

    it("runs a second command with the same rules, which ends with the first", async () => {
      const answer = await run({
        script: "echo shared > $TMPDIR/file; echo ready; sleep 1000",
        action: "exec",
        input: 'cat "$TMPDIR/file"; cat /proc/self/status | grep -c "NoNewPrivs:.1"; (setsid sleep 1000 &)',
      });
      assert.equal(answer.beside, "shared\n1\n");
      assert.ok((answer.processes ?? 0) > 0);
      nothingIsLeft();
    });
  });
});

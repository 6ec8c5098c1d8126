// What the doctor concludes from a refusal on a machine, and what it prescribes there, word for word.

import assert from "node:assert/strict";
import { CAUSE_IDS, diagnose } from "../../src/sandbox/doctor/diagnose";
import { distributionOf, parseOsRelease } from "../../src/sandbox/doctor/distribution";
import { ENTRIES } from "../../src/sandbox/doctor/entries";
import { readFacts } from "../../src/sandbox/doctor/facts";
import { makeReport } from "../../src/sandbox/doctor/report";
import { lineOfFeature, reportText } from "../../src/sandbox/doctor/text";
import { FEATURES, type FeatureName } from "../../src/spawner/features";
import * as machines from "./doctor-machines";
import { machine } from "./doctor-machines";

interface Case {
  readonly about: string;
  readonly on: Parameters<typeof machine>[0];
  readonly feature: FeatureName;
  readonly errno: string;
  readonly reason?: string;
  readonly cause: string;
  /** Lines that must be among those to be pasted. */
  readonly lines: readonly string[];
}

const CASES: readonly Case[] = [
  {
    about: "Ubuntu 24.04: a profile for the editor's binary, and the sysctl",
    on: { files: machines.UBUNTU_24_04 },
    feature: "id maps",
    errno: "EPERM",
    cause: "apparmor_restrict_unprivileged_userns",
    lines: [
      "sudo tee /etc/apparmor.d/sandbox-tasks >/dev/null <<'EOF'",
      "abi <abi/4.0>,",
      'profile sandbox-tasks "/usr/share/code/code" flags=(unconfined) {',
      "  userns,",
      "sudo apparmor_parser -r /etc/apparmor.d/sandbox-tasks",
      "sudo sysctl -p /etc/sysctl.d/99-sandbox-tasks-apparmor-restrict-unprivileged-userns.conf",
    ],
  },
  {
    about: "Ubuntu 24.04 over SSH: the profile survives an update of the server",
    on: {
      files: machines.UBUNTU_24_04,
      executable: `/home/me/.vscode-server/cli/servers/Stable-${"e3550cfac4b63ca4eafca7b601f0d2885817fd1f"}/server/node`,
    },
    feature: "user namespace",
    errno: "EACCES",
    cause: "apparmor_restrict_unprivileged_userns",
    lines: ['profile sandbox-tasks "/home/me/.vscode-server/cli/servers/Stable-*/server/node" flags=(unconfined) {'],
  },
  {
    about: "a strictly confined snap",
    on: { files: machines.SNAP, environment: { SNAP: "/snap/editor/7" }, executable: "/snap/editor/7/editor" },
    feature: "user namespace",
    errno: "EACCES",
    cause: "snap",
    lines: ["sudo snap install code --classic"],
  },
  {
    about: "a program under an AppArmor profile",
    on: { files: { ...machines.UBUNTU_24_04, "/proc/self/attr/current": "my-editor (enforce)\n" } },
    feature: "mount namespace",
    errno: "EACCES",
    cause: "apparmor_profile",
    lines: ["printf 'userns,\\nmount,\\numount,\\npivot_root,\\n' | sudo tee -a /etc/apparmor.d/local/my-editor"],
  },
  {
    about: "Arch with linux-hardened",
    on: { files: machines.ARCH_HARDENED },
    feature: "user namespace",
    errno: "EPERM",
    cause: "unprivileged_userns_clone",
    lines: [
      "echo 'kernel.unprivileged_userns_clone = 1' | sudo tee /etc/sysctl.d/99-sandbox-tasks-unprivileged-userns-clone.conf",
      "sudo sysctl -p /etc/sysctl.d/99-sandbox-tasks-unprivileged-userns-clone.conf",
    ],
  },
  {
    about: "NixOS, hardened: in its configuration",
    on: { files: machines.NIXOS },
    feature: "user namespace",
    errno: "EPERM",
    cause: "unprivileged_userns_clone",
    lines: ["security.unprivilegedUsernsClone = true;", "sudo nixos-rebuild switch"],
  },
  {
    about: "NixOS where programs in memory are forbidden",
    on: { files: machines.NIXOS },
    feature: "PID 1 of our own",
    errno: "EACCES",
    cause: "memfd_noexec",
    lines: ['boot.kernel.sysctl."vm.memfd_noexec" = 1;'],
  },
  {
    about: "Debian 10: its kernel is too old first of all",
    on: { files: machines.DEBIAN_10 },
    feature: "recursive read-only root",
    errno: "ENOSYS",
    cause: "kernel_too_old",
    lines: ["sudo apt install -t buster-backports linux-image-$(dpkg --print-architecture)"],
  },
  {
    about: "WSL 2 with an old kernel",
    on: { files: machines.WSL_2 },
    feature: "Landlock",
    errno: "ENOSYS",
    cause: "kernel_too_old",
    lines: ["wsl.exe --update"],
  },
  {
    about: "Rocky Linux after a hardening guide",
    on: { files: machines.ROCKY_STIG },
    feature: "user namespace",
    errno: "ENOSPC",
    cause: "max_namespaces",
    lines: [
      "echo 'user.max_user_namespaces = 15000' | sudo tee /etc/sysctl.d/99-sandbox-tasks-max-user-namespaces.conf",
    ],
  },
  {
    about: "no network namespaces",
    on: { files: { ...machines.ROCKY_STIG, "/proc/sys/user/max_net_namespaces": "0\n" } },
    feature: "network namespace with loopback",
    errno: "ENOSPC",
    cause: "max_namespaces",
    lines: ["sudo sysctl -p /etc/sysctl.d/99-sandbox-tasks-max-net-namespaces.conf"],
  },
  {
    about: "limits that are reached elsewhere",
    on: { files: machines.UBUNTU_24_04 },
    feature: "user namespace",
    errno: "EUSERS",
    cause: "namespaces_used_up",
    lines: ["grep . /proc/sys/user/max_*_namespaces"],
  },
  {
    about: "a confined SELinux user",
    on: { files: machines.FEDORA_CONFINED },
    feature: "user namespace",
    errno: "EACCES",
    cause: "selinux_domain",
    lines: ["sudo semodule -i sandbox-tasks.cil", 'sudo semanage login -m -s unconfined_u "$USER"'],
  },
  {
    about: "a dev container of Docker: runArgs, word for word",
    on: { files: machines.DOCKER, environment: { REMOTE_CONTAINERS: "true" }, uid: 0 },
    feature: "user namespace",
    errno: "EPERM",
    cause: "container_seccomp",
    lines: [
      '"runArgs": [',
      '  "--security-opt", "seccomp=unconfined",',
      '  "--security-opt", "systempaths=unconfined",',
      '  "--security-opt", "apparmor=unconfined"',
    ],
  },
  {
    about: "Podman, which spells it otherwise",
    on: { files: machines.PODMAN },
    feature: "user namespace",
    errno: "EPERM",
    cause: "container_seccomp",
    lines: ["podman run \\", "  --security-opt unmask=ALL \\", "  --security-opt label=disable ..."],
  },
  {
    about: "Kubernetes",
    on: { files: machines.DOCKER, environment: { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, uid: 0 },
    feature: "mount namespace",
    errno: "EPERM",
    cause: "container_seccomp",
    lines: ["  seccompProfile: { type: Unconfined }"],
  },
  {
    about: "a container without a filter, but with AppArmor",
    on: { files: machines.DOCKER_UNCONFINED, uid: 0 },
    feature: "recursive read-only root",
    errno: "EACCES",
    cause: "container_security_module",
    lines: ["  --security-opt apparmor=unconfined ..."],
  },
  {
    about: "a container whose /proc is masked",
    on: { files: machines.DOCKER_UNCONFINED, uid: 0 },
    feature: "proc file system",
    errno: "EPERM",
    reason: "mount proc on /proc: EPERM, operation not permitted in fsmount(2) (step 7 of 11)",
    cause: "masked_proc",
    lines: ["  --security-opt systempaths=unconfined ..."],
  },
  {
    about: "WSL 1",
    on: { files: machines.WSL_1, environment: { WSL_DISTRO_NAME: "Ubuntu-22.04" } },
    feature: "user namespace",
    errno: "EINVAL",
    cause: "wsl1",
    lines: ["wsl.exe --set-version Ubuntu-22.04 2"],
  },
  {
    about: "gVisor",
    on: { files: machines.GVISOR, uid: 0 },
    feature: "process with a pidfd",
    errno: "EINVAL",
    cause: "gvisor",
    lines: ["docker run --runtime=runc ..."],
  },
  {
    about: "an editor from Flathub",
    on: { files: machines.FLATPAK },
    feature: "user namespace",
    errno: "EPERM",
    cause: "flatpak",
    lines: [],
  },
  {
    about: "code-server as a hardened service",
    on: { files: machines.CODE_SERVER_SERVICE },
    feature: "user namespace",
    errno: "EPERM",
    cause: "service_seccomp",
    lines: [
      "sudo tee /etc/systemd/system/code-server@me.service.d/sandbox-tasks.conf >/dev/null <<'EOF'",
      "RestrictNamespaces=no",
      "sudo systemctl restart code-server@me.service",
    ],
  },
  {
    about: "a filter of nobody knows whom",
    on: { files: { ...machines.ALPINE, "/proc/self/status": "Name:\tnode\nSeccomp:\t2\n" } },
    feature: "session keyring",
    errno: "EPERM",
    cause: "seccomp",
    lines: [],
  },
  {
    about: "a chroot",
    on: { files: machines.CHROOT },
    feature: "user namespace",
    errno: "EPERM",
    cause: "chroot",
    lines: ["systemd-nspawn -D /path/to/chroot"],
  },
  {
    about: "a kernel without a namespace",
    on: { files: machines.ALPINE },
    feature: "time namespace",
    errno: "EINVAL",
    cause: "not_built",
    lines: ["(zcat /proc/config.gz || cat /boot/config-$(uname -r)) 2>/dev/null | grep CONFIG_TIME_NS"],
  },
  {
    about: "a kernel without seccomp",
    on: { files: { ...machines.ALPINE, "/proc/self/status": "Name:\tnode\n" } },
    feature: "seccomp filter",
    errno: "EINVAL",
    cause: "no_seccomp",
    lines: ["doas apk upgrade linux-lts"],
  },
  {
    about: "Landlock, off on Arch: by GRUB",
    on: { files: machines.ARCH_HARDENED },
    feature: "Landlock",
    errno: "EOPNOTSUPP",
    cause: "landlock_not_in_lsm",
    lines: [
      "sudo sed -i 's|^GRUB_CMDLINE_LINUX=\"|&lsm=landlock,yama,bpf |' /etc/default/grub",
      "sudo grub-mkconfig -o /boot/grub/grub.cfg",
    ],
  },
  {
    about: "Landlock, off on Rocky: by grubby",
    on: { files: machines.ROCKY_STIG },
    feature: "Landlock",
    errno: "EOPNOTSUPP",
    cause: "landlock_not_in_lsm",
    lines: ['sudo grubby --update-kernel=ALL --args="lsm=landlock,lockdown,yama,selinux,bpf"'],
  },
  {
    about: "Landlock, off on openSUSE",
    on: { files: machines.CODE_SERVER_SERVICE },
    feature: "Landlock",
    errno: "EOPNOTSUPP",
    cause: "landlock_not_in_lsm",
    lines: ['sudo update-bootloader --add-option "lsm=landlock,lockdown,apparmor,bpf"'],
  },
  {
    about: "Landlock, off where the list can't be seen",
    on: { files: machines.DEBIAN_10 },
    feature: "Landlock",
    errno: "EOPNOTSUPP",
    cause: "landlock_not_in_lsm",
    lines: ["sudo cat /sys/kernel/security/lsm"],
  },
  {
    about: "no overlay module",
    on: { files: machines.ALPINE },
    feature: "overlay in a user namespace",
    errno: "ENODEV",
    cause: "overlay_missing",
    lines: ["doas modprobe overlay"],
  },
  {
    about: "cgroups of both versions",
    on: { files: machines.DEBIAN_10 },
    feature: "memory controller",
    errno: "ENOENT",
    cause: "cgroup_v1",
    lines: ['GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX systemd.unified_cgroup_hierarchy=1"', "sudo update-grub"],
  },
  {
    about: "a controller that is switched off at boot",
    on: { files: machines.RASPBERRY_PI },
    feature: "memory controller",
    errno: "ENOENT",
    cause: "cgroup_disable",
    lines: ["sudo sed -i '1s|$| cgroup_enable=memory|' /boot/firmware/cmdline.txt"],
  },
  {
    about: "disks without a scheduler that shares",
    on: { files: machines.UBUNTU_24_04 },
    feature: "io controller",
    errno: "",
    reason: "limits.ioWeight can't be kept: no disk here heeds weights, as none has the scheduler BFQ or io.cost.",
    cause: "io_weight_unheeded",
    lines: ["sudo modprobe bfq", "sudo tee /etc/udev/rules.d/60-bfq.rules >/dev/null <<'EOF'"],
  },
  {
    about: "a controller that is not delegated",
    on: { files: machines.UBUNTU_24_04 },
    feature: "cpu controller",
    errno: "ENOENT",
    cause: "cgroup_not_delegated",
    lines: [
      "sudo mkdir -p /etc/systemd/system/user@.service.d",
      "sudo tee /etc/systemd/system/user@.service.d/delegate.conf >/dev/null <<'EOF'",
      "Delegate=cpu cpuset io memory pids",
    ],
  },
  {
    about: "no cgroup of our own",
    on: { files: machines.UBUNTU_24_04 },
    feature: "cgroup",
    errno: "EACCES",
    cause: "no_user_manager",
    lines: ['sudo loginctl enable-linger "$USER"', "sudo apt install dbus-user-session"],
  },
  {
    about: "no way into a cgroup at birth",
    on: { files: machines.UBUNTU_24_04 },
    feature: "cgroup",
    errno: "ENOSYS",
    cause: "cgroup_too_old",
    lines: ["sudo apt install linux-generic-hwe-24.04"],
  },
  {
    about: "no systemd",
    on: { files: machines.ALPINE },
    feature: "cgroup",
    errno: "EACCES",
    cause: "no_systemd",
    lines: ['doas chown -R "$USER" "/sys/fs/cgroup/$USER"'],
  },
  {
    about: "a container's read-only cgroups",
    on: { files: machines.PODMAN },
    feature: "cgroup",
    errno: "EROFS",
    cause: "cgroup_container",
    lines: ["podman run --systemd=always ..."],
  },
];

describe("the doctor", () => {
  for (const { about, on, cause, lines, ...failure } of CASES) {
    it(`tells ${cause}: ${about}`, () => {
      const found = diagnose(failure, readFacts(machine(on)));
      assert.equal(found.id, cause);
      assert.match(found.title, /^[A-Z].*[^.]$/);
      assert.match(found.why, /^["/\w].*\.$/s);
      const all = found.remedies.flatMap((remedy) => remedy.lines);
      for (const line of lines) assert.ok(all.includes(line), `${line}\nis not among\n${all.join("\n")}`);
      assert.ok(found.remedies.length > 0);
    });
  }

  it("has a case here for each cause that it knows", () => {
    assert.deepEqual([...new Set(CASES.map(({ cause }) => cause))].sort(), [...CAUSE_IDS].sort());
  });

  it("blames no filter that is not there, and no AppArmor on a program that has its permission", () => {
    const docker = readFacts(
      machine({ files: { ...machines.DOCKER_UNCONFINED, "/proc/self/attr/current": "" }, uid: 0 }),
    );
    assert.equal(diagnose({ feature: "session keyring", errno: "EPERM" }, docker).id, "unknown");
    const files = { ...machines.UBUNTU_24_04, "/proc/self/attr/current": "vscode (unconfined)\n" };
    assert.equal(diagnose({ feature: "id maps", errno: "EPERM" }, readFacts(machine({ files }))).id, "unknown");
  });

  it("asks root of nobody who is root already", () => {
    const found = diagnose(
      { feature: "user namespace", errno: "ENOSPC" },
      readFacts(machine({ files: machines.ROCKY_STIG, uid: 0 })),
    );
    assert.doesNotMatch(JSON.stringify(found), /sudo/);
  });

  it("says that a container's knobs are the host's", () => {
    const files = { ...machines.DOCKER, "/proc/sys/user/max_user_namespaces": "0\n" };
    const found = diagnose({ feature: "user namespace", errno: "ENOSPC" }, readFacts(machine({ files, uid: 0 })));
    assert.match(found.remedies[0]?.what ?? "", /On the host, not in this container/);
  });

  it("always has something to say", () => {
    const found = diagnose(
      { feature: "uts namespace", errno: "EIO", remedy: "Do this." },
      readFacts(machine({ files: {} })),
    );
    assert.deepEqual([found.id, found.why], ["unknown", "Do this."]);
  });
});

describe("os-release", () => {
  it("is read with its quotes and escapes", () => {
    const text = `# a comment\nID=x\nNAME="A \\"B\\" \\$C"\nPRETTY_NAME='one'\nbad line\nEMPTY=\n`;
    assert.deepEqual(parseOsRelease(text), { ID: "x", NAME: 'A "B" $C', PRETTY_NAME: "one", EMPTY: "" });
  });

  it("tells derivatives by ID_LIKE, and falls back on /usr/lib", () => {
    const of = (text: string, path = "/etc/os-release") => distributionOf(machine({ files: { [path]: text } })).family;
    assert.equal(of("ID=linuxmint\nID_LIKE='ubuntu debian'"), "ubuntu");
    assert.equal(of("ID=opensuse-tumbleweed"), "suse");
    assert.equal(of("ID=manjaro\nID_LIKE=arch", "/usr/lib/os-release"), "arch");
    assert.equal(of("ID=void"), "other");
  });
});

describe("the report", () => {
  const facts = readFacts(machine({ files: machines.UBUNTU_24_04 }));
  const features = FEATURES.map((feature) => {
    const refused = FEATURES.indexOf(feature) >= FEATURES.indexOf("id maps") && FEATURES.indexOf(feature) <= 13;
    return refused
      ? { feature, available: false, errno: "EPERM", reason: `${feature}: EPERM, operation not permitted` }
      : feature === "cpu controller"
        ? { feature, available: false, errno: "ENOENT" }
        : { feature, available: true };
  });
  const refused = makeReport(facts, features, [{ profile: "build", runs: false, reason: "mount: EPERM" }]);
  const lines = reportText(refused).split("\n");

  it("begins with the answer", () => {
    assert.equal(lines[3], "Sandboxes can't run here, because: AppArmor refuses user namespaces to this editor.");
    const fine = makeReport(facts, [], [{ profile: "build", runs: true }]);
    assert.match(reportText(fine), /^.*\n=+\n\nSandboxes can run here\.\nNothing is missing\.\n/);
    const more = makeReport(facts, features.slice(14), [{ profile: "build", runs: true }]);
    assert.match(reportText(more), /\nSandboxes can run here\.\nFor more than `build` asks, one thing can be mended/);
  });

  it("says one cause of many features once, the serious one first", () => {
    assert.deepEqual(
      refused.findings.map(({ id, serious }) => [id, serious]),
      [
        ["apparmor_restrict_unprivileged_userns", true],
        ["cgroup_not_delegated", false],
      ],
    );
    assert.equal(lines.filter((line) => line.includes("apparmor_parser -r")).length, 1);
  });

  it("says of a profile which finding keeps it from running, or else what was refused", () => {
    const profiles = [
      { profile: "build", runs: false, reason: "mount: EPERM", feature: "mount namespace" },
      { profile: "mine", runs: false, reason: "no such folder" },
    ];
    const text = reportText(makeReport(facts, features, profiles));
    assert.match(text, /^ {2}✘ build {2}can't run, see 1\n {2}✘ mine {3}can't run:\n {6}no such folder$/m);
  });

  it("has a line for every feature, with the number of what to do about it", () => {
    for (const { feature, available } of features) {
      const line = lines.find((text) => text.slice(4).startsWith(feature.padEnd(31)));
      assert.ok(line, feature);
      assert.equal(/see [12]$/.test(line), !available, line);
    }
  });

  it("is jumped into at what to do about a feature, or else at its line", () => {
    assert.match(lines[lineOfFeature(refused, "proc file system") ?? -1] ?? "", /^1\. AppArmor refuses/);
    assert.match(lines[lineOfFeature(refused, "cpu controller") ?? -1] ?? "", /^2\. The cpu controller/);
    assert.match(lines[lineOfFeature(refused, "user namespace") ?? -1] ?? "", /^ {2}✔ user namespace/);
    assert.equal(lineOfFeature(refused, "teleportation"), undefined);
  });

  it("keeps to the width of a page, but for what is to be pasted", () => {
    for (const line of lines.filter((text) => !text.startsWith("       "))) assert.ok(line.length <= 100, line);
  });

  it("colours nothing by itself, and everything to be typed when asked", () => {
    assert.ok(!lines.some((line) => line.includes("\x1b")));
    const painted = reportText(refused, (text, tone) => (tone === "command" ? `<${text}>` : text));
    assert.match(painted, /^ {7}<sudo apparmor_parser -r .*>$/m);
  });

  it("knows each feature's use and cost", () => {
    for (const [feature, { use, costs }] of Object.entries(ENTRIES)) assert.ok(use !== "" && costs !== "", feature);
  });
});

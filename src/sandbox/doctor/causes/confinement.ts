// Walls that somebody has put around the editor itself: a container, a package that is a sandbox, a service, a chroot, a
// kernel that only looks like one. None of them can be opened from inside.

import { type Cause, type Failure, isRefusedNamespace } from "../cause";
import type { SystemFacts } from "../facts";
import { asRoot, type Remedy, writeFile } from "../remedy";

const OUTSIDE: Remedy = {
  what: "Or open the folder outside of the container: Dev Containers: Reopen Folder Locally, or Remote-SSH to the host.",
  lines: [],
};

const wsl1: Cause = {
  id: "wsl1",
  applies: (_, { host }) => host === "WSL1",
  title: () => "WSL 1 has no kernel of its own",
  why: () => "It translates system calls for Windows and has no namespaces. WSL 2 runs a real Linux.",
  remedies: ({ wslDistribution }) => [
    {
      what: "Convert this distribution, in PowerShell on Windows:",
      lines: [`wsl.exe --set-version ${wslDistribution ?? "<distribution>"} 2`],
      afterwards: "Then open the folder again.",
    },
  ],
};

const gVisor: Cause = {
  id: "gvisor",
  applies: (_, { host }) => host === "gVisor",
  title: () => "This container runs in gVisor",
  why: () => "Its kernel is a program of its own and lacks much of what a sandbox is made of.",
  remedies: () => [
    { what: "Start the container with the ordinary runtime:", lines: ["docker run --runtime=runc ..."] },
    OUTSIDE,
  ],
};

const flatpak: Cause = {
  id: "flatpak",
  applies: (failure, facts) => facts.package === "flatpak" && isRefusedNamespace(failure),
  title: () => "This editor runs inside Flatpak's own sandbox",
  why: () => "Flatpak's seccomp filter refuses new namespaces to what it runs, and no permission lifts that.",
  remedies: () => [
    {
      what: "Install the editor as a package of the distribution (.deb, .rpm, AUR) instead of the Flatpak.",
      lines: [],
    },
    { what: "Or open the folder from this editor by Remote-SSH on this same machine (localhost).", lines: [] },
  ],
};

const snap: Cause = {
  id: "snap",
  applies: (failure, { package: packaged, label }) =>
    packaged === "snap" && /^snap\..* \(enforce\)$/.test(label ?? "") && isRefusedNamespace(failure),
  title: () => "This editor is a strictly confined snap",
  why: ({ label }) => `Its AppArmor profile ("${label}") is snapd's, and refuses new namespaces.`,
  remedies: () => [
    { what: "Install the editor from its .deb, or as a classic snap:", lines: ["sudo snap install code --classic"] },
  ],
};

/** By a rule that the kernel's own copy_creds() has; it can't be undone from inside. */
const chroot: Cause = {
  id: "chroot",
  applies: (failure, { chrooted }) => chrooted && (isRefusedNamespace(failure) || failure.errno === "EINVAL"),
  title: () => "The editor runs in a chroot",
  why: () =>
    "The kernel refuses new user namespaces to a process whose root is not that of its mount namespace (clone(2)).",
  remedies: () => [
    {
      what: "Start the editor outside of the chroot, or in a container, which changes its root by pivot_root(2):",
      lines: ["systemd-nspawn -D /path/to/chroot"],
    },
  ],
};

/** What a container engine has to be told, and how it is spelt. */
function securityOptions({ container }: SystemFacts, wanted: readonly ("seccomp" | "proc" | "module")[]): string[] {
  const words = {
    docker: { seccomp: "seccomp=unconfined", proc: "systempaths=unconfined", module: "apparmor=unconfined" },
    podman: { seccomp: "seccomp=unconfined", proc: "unmask=ALL", module: "label=disable" },
  }[container === "podman" ? "podman" : "docker"];
  return wanted.map((what) => words[what]);
}

function kubernetes(): Remedy[] {
  return [
    {
      what: "Give the container this security context (procMount needs hostUsers: false in the pod):",
      lines: [
        "securityContext:",
        "  seccompProfile: { type: Unconfined }",
        "  appArmorProfile: { type: Unconfined }",
        "  procMount: Unmasked",
      ],
    },
  ];
}

/** How the container is started with these options. */
function startContainer(facts: SystemFacts, wanted: readonly ("seccomp" | "proc" | "module")[]): Remedy[] {
  if (facts.container === "kubernetes") return kubernetes();
  if (facts.container === "lxc") {
    return [
      {
        what: "Allow nesting, on the host:",
        lines: ["lxc config set <container> security.nesting=true", "lxc restart <container>"],
      },
    ];
  }
  if (facts.container === "systemd-nspawn") {
    return [
      {
        what: "Allow the calls, on the host:",
        lines: ["systemd-nspawn --system-call-filter='@mount @privileged' ..."],
      },
    ];
  }
  const options = securityOptions(facts, wanted);
  const last = options.length - 1;
  const inJson: Remedy = {
    what: "In devcontainer.json:",
    lines: [
      '"runArgs": [',
      ...options.map((option, i) => `  "--security-opt", "${option}"${i < last ? "," : ""}`),
      "]",
    ],
    afterwards: "Then rebuild it: Dev Containers: Rebuild Container.",
  };
  const engine = facts.container === "podman" ? "podman" : "docker";
  const byHand: Remedy = {
    what: facts.devContainer ? "Or, where it is started by hand:" : "Start the container so:",
    lines: [`${engine} run \\`, ...options.map((option, i) => `  --security-opt ${option} ${i < last ? "\\" : "..."}`)],
  };
  const compose: Remedy = {
    what: "Or in compose.yaml, under the service:",
    lines: [`security_opt: [${options.map((option) => JSON.stringify(option)).join(", ")}]`],
  };
  return facts.devContainer
    ? [inJson, compose, OUTSIDE]
    : [byHand, compose, { ...inJson, what: "Or in devcontainer.json:" }, OUTSIDE];
}

const isFiltered = ({ errno }: Failure): boolean => errno === "EPERM" || errno === "ENOSYS" || errno === "EACCES";

const containerSeccomp: Cause = {
  id: "container_seccomp",
  applies: (failure, { container, seccomp }) => container !== undefined && seccomp === "filter" && isFiltered(failure),
  title: ({ container }) =>
    `The seccomp filter of this ${container === "other" ? "" : `${container} `}container refuses what sandboxes are made of`,
  why: () =>
    "There is a filter on this process (Seccomp: 2 in /proc/self/status), and those that container engines install refuse new namespaces and mounts to anybody without CAP_SYS_ADMIN.",
  remedies: (facts) => startContainer(facts, ["seccomp", "proc", "module"]),
};

const containerModule: Cause = {
  id: "container_security_module",
  applies: (failure, { container, label }) =>
    container !== undefined && isRefusedNamespace(failure) && /\(enforce\)$|:container_t:/.test(label ?? ""),
  title: ({ label }) => `The container's security label refuses it: ${label}`,
  why: () => "AppArmor's or SELinux's rules for containers allow no mounts, whatever namespaces they are in.",
  remedies: (facts) => startContainer(facts, ["module"]),
};

/** mount_too_revealing() of the kernel: a new /proc must not show what the old one hides. */
const maskedProc: Cause = {
  id: "masked_proc",
  applies: ({ errno, reason }, { maskedProc }) =>
    errno === "EPERM" && reason?.startsWith("mount proc on ") === true && maskedProc.length > 0,
  title: () => "Parts of /proc are covered here, so the kernel refuses a new one",
  why: ({ maskedProc }) =>
    `Mounted over, or read-only: ${maskedProc.slice(0, 4).join(", ")}${maskedProc.length > 4 ? ` and ${maskedProc.length - 4} more` : ""}. A new /proc would show it again.`,
  remedies: (facts) =>
    facts.container === undefined
      ? [{ what: "Start the editor where nothing is mounted over /proc. See what is:", lines: ["findmnt -R /proc"] }]
      : startContainer(facts, ["proc"]),
};

/** systemd.exec(5): RestrictNamespaces=, SystemCallFilter= are seccomp filters. */
const serviceSeccomp: Cause = {
  id: "service_seccomp",
  applies: (failure, facts) => facts.seccomp === "filter" && facts.systemUnit !== undefined && isFiltered(failure),
  title: ({ systemUnit }) => `The service ${systemUnit} runs the editor behind a seccomp filter`,
  why: () => "Its unit has RestrictNamespaces=, SystemCallFilter= or a setting that implies them (systemd.exec(5)).",
  remedies: (facts) => {
    const file = `/etc/systemd/system/${facts.systemUnit}.d/sandbox-tasks.conf`;
    return [
      {
        what: "Lift it for this service:",
        lines: [
          ...writeFile(facts, file, [
            "[Service]",
            "RestrictNamespaces=no",
            "SystemCallFilter=",
            "ProtectKernelTunables=no",
          ]),
          asRoot(facts, "systemctl daemon-reload"),
          asRoot(facts, `systemctl restart ${facts.systemUnit}`),
        ],
      },
    ];
  },
};

const unknownSeccomp: Cause = {
  id: "seccomp",
  applies: (failure, { seccomp }) => seccomp === "filter" && isFiltered(failure),
  title: () => "A seccomp filter on this editor refuses it",
  why: () =>
    "Seccomp is 2 in /proc/self/status: who started the editor put a filter on it, which nothing takes away again. Look at its ancestors for the one that did.",
  remedies: () => [
    {
      what: "The first of these with Seccomp: 0 started the one that put it up:",
      lines: [
        "p=$$; while [ $p -gt 0 ]; do grep -HE '^(Name|Seccomp):' /proc/$p/status; p=$(awk '/^PPid/{print $2}' /proc/$p/status); done",
      ],
    },
  ],
};

/** Certain from the facts alone. */
export const OTHER_KERNEL_CAUSES: readonly Cause[] = [wsl1, gVisor];
export const CHROOT_CAUSES: readonly Cause[] = [chroot];
/** Told by what was refused as well. */
export const CONFINEMENT_CAUSES: readonly Cause[] = [
  maskedProc,
  flatpak,
  snap,
  containerSeccomp,
  containerModule,
  serviceSeccomp,
  unknownSeccomp,
];

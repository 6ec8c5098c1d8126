// Why a sandbox gets no cgroup of its own, or one without a controller (cgroups(7), systemd.resource-control(5)).

import { CONTAINER, DELEGATION, enabling, LINGER, SCOPE_OF_USER, UNIFIED } from "../../cgroups/advice";
import type { Cause } from "../cause";
import type { SystemFacts } from "../facts";
import { asRoot, newerKernel, onTheHost, type Remedy, setKernelParameter, writeFile } from "../remedy";

const isCgroup = (feature: string): boolean => feature === "cgroup" || feature.endsWith(" controller");

/** "memory" of "memory controller". */
const controller = (feature: string): string => feature.split(" ")[0] ?? feature;

const disabledController: Cause = {
  id: "cgroup_disable",
  applies: ({ feature }, { commandLine }) =>
    feature.endsWith(" controller") && commandLine.includes(`cgroup_disable=${controller(feature)}`),
  title: (_, { feature }) => `The ${feature} is switched off at boot`,
  why: (_, { feature }) =>
    `The kernel's command line has cgroup_disable=${controller(feature)}; Raspberry Pi OS comes so.`,
  remedies: (facts, { feature }) => [setKernelParameter(facts, enabling(controller(feature)))],
};

/** The controller may be there: it is the disks' schedulers that share (cgroup-v2.rst, "IO"). */
const unheededWeights: Cause = {
  id: "io_weight_unheeded",
  applies: ({ feature, reason }) => feature === "io controller" && reason?.includes("heeds weights") === true,
  title: () => "No disk here heeds weights",
  why: () => "None of them has the scheduler BFQ or io.cost, which are those that look at weights.",
  remedies: (facts) => [
    {
      what: `Give every disk the scheduler BFQ, now and when it appears.${onTheHost(facts)}`,
      lines: [
        asRoot(facts, "modprobe bfq"),
        "for disk in /sys/block/*/queue/scheduler; do",
        `  echo bfq | ${asRoot(facts, 'tee "$disk"')}`,
        "done",
        ...writeFile(facts, "/etc/udev/rules.d/60-bfq.rules", [
          'ACTION=="add|change", SUBSYSTEM=="block", ATTR{queue/scheduler}="bfq"',
        ]),
      ],
    },
  ],
};

const oldHierarchy: Cause = {
  id: "cgroup_v1",
  applies: ({ feature }, { cgroup, container }) =>
    isCgroup(feature) && cgroup !== "v2" && (container === undefined || cgroup !== "none"),
  title: ({ cgroup }) =>
    cgroup === "none"
      ? "No cgroups are mounted"
      : `This system uses cgroups version 1${cgroup === "hybrid" ? " beside 2" : ""}`,
  why: ({ cgroup }) =>
    cgroup === "none"
      ? "There is no cgroup2 file system among the mounts."
      : "A controller belongs to one of the two, and what version 1 has can't be delegated to a user.",
  remedies: (facts) => {
    if (!facts.systemd) {
      return [
        {
          what: "Mount version 2 alone, at boot, before anything mounts version 1:",
          lines: [asRoot(facts, "mount -t cgroup2 none /sys/fs/cgroup")],
        },
      ];
    }
    return [
      {
        ...setKernelParameter(facts, UNIFIED),
        what: "Boot with cgroups version 2 alone, by a parameter of the kernel (systemd(1)):",
      },
    ];
  },
};

const containerCgroup: Cause = {
  id: "cgroup_container",
  applies: ({ feature }, { container }) => isCgroup(feature) && container !== undefined,
  title: () => "This container may not make cgroups",
  why: () => "Containers see /sys/fs/cgroup read-only, or only a part of it that is not theirs.",
  remedies: ({ container }) => [
    container === "podman"
      ? {
          what: "Start it with an init of its own, which gets a cgroup tree:",
          lines: [CONTAINER.podman],
        }
      : {
          what: "Give it a writable cgroup tree of its own:",
          lines: [CONTAINER.docker],
          afterwards: `${CONTAINER.dockerNeeds} Limits of time, files and size work without it.`,
        },
  ],
};

const noSystemd: Cause = {
  id: "no_systemd",
  applies: ({ feature }, { systemd }) => isCgroup(feature) && !systemd,
  title: () => "There is no systemd to ask for a cgroup",
  why: () => "Nobody delegates a part of the cgroup tree to users here, and only root makes cgroups at its top.",
  remedies: (facts) => [
    {
      what: "Give yourself a cgroup of your own, and start the editor in it:",
      lines: [
        asRoot(facts, "sh -c 'echo +memory +pids +cpu +io >/sys/fs/cgroup/cgroup.subtree_control'"),
        asRoot(facts, 'mkdir -p "/sys/fs/cgroup/$USER/editor"'),
        asRoot(facts, 'chown -R "$USER" "/sys/fs/cgroup/$USER"'),
        asRoot(facts, 'sh -c "echo $$ >/sys/fs/cgroup/$USER/editor/cgroup.procs"'),
        "code .",
      ],
    },
  ],
};

/** The user's manager runs all that a session starts, when there is a session: a login by su or sudo has none. */
function delegation(facts: SystemFacts): Remedy {
  return {
    what: "Have systemd delegate all controllers to users:",
    lines: [
      ...writeFile(facts, `${DELEGATION.folder}/${DELEGATION.name}`, DELEGATION.content),
      asRoot(facts, DELEGATION.afterwards),
    ],
    afterwards: "Then log out and in again.",
  };
}

const notDelegated: Cause = {
  id: "cgroup_not_delegated",
  applies: ({ feature, reason }) => feature.endsWith(" controller") && !hasNoScope(reason),
  title: (_, { feature }) => `The ${feature} is not delegated to you`,
  why: (_, { feature }) =>
    `systemd gives users the controllers that Delegate= of user@.service names, and often that is only memory and pids; ${controller(feature)} is not among them.`,
  remedies: (facts) => [delegation(facts)],
};

/** Whether no scope could be had of systemd at all, as the refusal of a controller tells. */
const hasNoScope = (reason = ""): boolean => reason.includes("a scope of systemd: ");

const noUserManager: Cause = {
  id: "no_user_manager",
  applies: ({ feature, reason }) => feature === "cgroup" || (feature.endsWith(" controller") && hasNoScope(reason)),
  title: () => "No cgroup is delegated to this editor",
  why: ({ ownCgroup }) =>
    `It runs in ${ownCgroup}, where only root makes cgroups, and your systemd manager (user@.service) gave it none.`,
  remedies: (facts) => [
    {
      what: "Let your systemd manager run without a session, and reach it by D-Bus:",
      lines: [
        asRoot(facts, LINGER),
        ...(facts.distribution.family === "debian" || facts.distribution.family === "ubuntu"
          ? [asRoot(facts, "apt install dbus-user-session")]
          : []),
      ],
      afterwards: "Then log out and in again.",
    },
    { what: "Or start the editor in a scope of its own:", lines: [SCOPE_OF_USER] },
    delegation(facts),
  ],
};

const noKill: Cause = {
  id: "cgroup_too_old",
  applies: ({ feature, errno }) => feature === "cgroup" && errno === "ENOSYS",
  title: ({ release }) => `Linux ${release} starts no process in a cgroup`,
  why: () => "CLONE_INTO_CGROUP takes Linux 5.7, and a seccomp filter that hides clone3(2) hides it too.",
  remedies: (facts) => [newerKernel(facts)],
};

export const CGROUP_CAUSES: readonly Cause[] = [
  disabledController,
  unheededWeights,
  noKill,
  oldHierarchy,
  containerCgroup,
  noSystemd,
  notDelegated,
  noUserManager,
];

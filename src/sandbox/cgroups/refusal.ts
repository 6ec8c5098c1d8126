// What is said when a limit can't be kept for want of a controller: which, what was tried, and what mends it. Never a
// limit that is ignored. Pure.

import type { FeatureName } from "../../spawner/features";
import { SandboxError } from "../errors";
import { CONTAINER, DELEGATION, enabling, LINGER, SCOPE_OF_ROOT, UNIFIED } from "./advice";
import type { Attempt, Search } from "./find";
import type { CgroupLimit, Controller } from "./settings";

export interface Machine {
  readonly uid: number;
  /** Controllers at the top of what is mounted of cgroup v2. */
  readonly atTop: readonly string[];
  /** Names of controllers that belong to the old hierarchies, as /proc/self/cgroup lists them. */
  readonly old: readonly string[];
  /** The mounted hierarchy begins somewhere below the machine's: we are in a container. */
  readonly inContainer: boolean;
}

/** The lines of the doctor, as probe() names them. */
export const controllerFeature = (controller: Controller): FeatureName => `${controller} controller`;

const BOOT_UNIFIED = `Boot with the kernel parameter ${UNIFIED}`;

const { folder, name, content, afterwards } = DELEGATION;
const DELEGATE_ALL =
  `Let systemd hand all controllers to users: sudo mkdir -p ${folder} && ` +
  `printf '${content.join("\\n")}\\n' | sudo tee ${folder}/${name} ` +
  `&& sudo ${afterwards}, then log out of all sessions and in again`;

/** Why the kernel has no such controller to give. */
function absentFix(controller: Controller, machine: Machine): string {
  const oldName = controller === "io" ? "blkio" : controller;
  if (machine.old.includes(oldName)) {
    return `The ${controller} controller belongs to the old hierarchy here (cgroup v1). ${BOOT_UNIFIED} (without systemd: cgroup_no_v1=${oldName}).`;
  }
  if (machine.inContainer) {
    return `This container was given no ${controller} controller. Start it with one, on a host with cgroup v2.`;
  }
  return controller === "memory"
    ? `The kernel has its memory controller turned off. Boot with the kernel parameter ${enabling(controller)}.`
    : `This kernel was built without the ${controller} controller.`;
}

/** What mends it: an exact command where there is one. */
export function fixFor(controller: Controller, { own, attempts }: Search, machine: Machine): string {
  if (own === undefined) return `This system has no cgroup v2 hierarchy. ${BOOT_UNIFIED}.`;
  if (!machine.atTop.includes(controller)) return absentFix(controller, machine);
  if (machine.inContainer) {
    return `Start the container with a writable cgroup tree of its own: ${CONTAINER.docker}, or ${CONTAINER.podman}. ${CONTAINER.dockerNeeds}`;
  }
  const systemd = attempts.find(({ kind }) => kind === "systemd");
  if (systemd?.directory !== undefined && machine.uid !== 0) return `${DELEGATE_ALL}.`;
  return machine.uid === 0
    ? `Start the editor in a cgroup of its own: ${SCOPE_OF_ROOT}.`
    : `Let systemd keep a manager for you: sudo ${LINGER}, then log in again, so that $XDG_RUNTIME_DIR/bus is there.`;
}

const PLACE: Readonly<Record<Attempt["kind"], string>> = {
  delegated: "the editor's own cgroup",
  systemd: "a scope of systemd",
  root: "the top of the hierarchy",
};

function attemptWords({ kind, directory, why }: Attempt): string {
  return `${PLACE[kind]}${directory === undefined ? "" : ` (${directory})`}: ${why}`;
}

/** The refusal of a limit. */
export function controllerRefusal(
  limit: CgroupLimit,
  controller: Controller,
  search: Search,
  machine: Machine,
): SandboxError {
  const tried = search.attempts.length === 0 ? "" : ` Tried were ${search.attempts.map(attemptWords).join("; ")}.`;
  return new SandboxError(
    "limit",
    `limits.${limit}`,
    `limits.${limit} can't be kept: it needs the ${controller} controller of cgroup v2, which is not to be had here.${tried}`,
    `${fixFor(controller, search, machine)} Or leave limits.${limit} out.`,
    controllerFeature(controller),
  );
}

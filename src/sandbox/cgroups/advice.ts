// What mends missing cgroups, for the refusals of limits and for the doctor: commands without the sudo before them.

/** A parameter of the kernel, for systemd(1): cgroup v2 alone. */
export const UNIFIED = "systemd.unified_cgroup_hierarchy=1";

/** Has systemd hand all controllers to the managers of users (systemd.resource-control(5)). */
export const DELEGATION = {
  folder: "/etc/systemd/system/user@.service.d",
  name: "delegate.conf",
  content: ["[Service]", "Delegate=cpu cpuset io memory pids"],
  afterwards: "systemctl daemon-reload",
} as const;

/** Keeps a user's manager, and with it $XDG_RUNTIME_DIR/bus, without a session (loginctl(1)). */
export const LINGER = 'loginctl enable-linger "$USER"';

/** Starts an editor in a cgroup of its own (systemd-run(1)). */
export const SCOPE_OF_ROOT = "systemd-run --scope -p Delegate=yes code";
export const SCOPE_OF_USER = "systemd-run --user --scope -p Delegate=yes code";

/** Starts a container whose cgroups can be written to from inside; Docker's option is moby pull request 48828. */
export const CONTAINER = {
  docker: "docker run --cgroupns=private --security-opt writable-cgroups=true ...",
  dockerNeeds: "That option takes Docker 28 or later, not rootless and without userns-remap.",
  podman: "podman run --systemd=always ...",
} as const;

/** A parameter of the kernel that turns a controller on which is off by default. */
export const enabling = (controller: string): string => `cgroup_enable=${controller}`;

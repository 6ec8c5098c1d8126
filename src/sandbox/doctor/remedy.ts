// What the doctor prescribes: lines to be pasted as they stand, written for this distribution and this user.

import type { SystemFacts } from "./facts";

export interface Remedy {
  /** What it does and how far it goes, a sentence that introduces the lines. */
  readonly what: string;
  /** Commands, or the text of a file that `what` names; none where there is nothing to type. */
  readonly lines: readonly string[];
  /** What has to follow, a sentence: restart the editor, log in again. */
  readonly afterwards?: string;
}

/** A command that only root may run. */
export function asRoot({ uid, distribution }: SystemFacts, command: string): string {
  if (uid === 0) return command;
  return `${distribution.family === "alpine" ? "doas" : "sudo"} ${command}`;
}

/** Lines that write a file of root's. */
export function writeFile(facts: SystemFacts, path: string, content: readonly string[]): string[] {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return [
    ...(facts.exists(folder) ? [] : [asRoot(facts, `mkdir -p ${folder}`)]),
    `${asRoot(facts, `tee ${path}`)} >/dev/null <<'EOF'`,
    ...content,
    "EOF",
  ];
}

/** In a container the knobs are the host's, and read-only. */
export function onTheHost({ container }: SystemFacts): string {
  return container === undefined ? "" : " On the host, not in this container:";
}

/** Sets a knob now and at every boot (sysctl.d(5)). */
export function setSysctl(facts: SystemFacts, name: string, value: string): string[] {
  if (facts.distribution.family === "nixos") {
    return [`boot.kernel.sysctl."${name}" = ${value};`, asRoot(facts, "nixos-rebuild switch")];
  }
  // Named after the knob, so that two remedies don't overwrite each other; late, as the last file that names it wins.
  const file = `/etc/sysctl.d/99-sandbox-tasks-${name.split(".").pop()?.replaceAll("_", "-")}.conf`;
  return [`echo '${name} = ${value}' | ${asRoot(facts, `tee ${file}`)}`, asRoot(facts, `sysctl -p ${file}`)];
}

/** Adds a parameter to the kernel's command line, for the next boot. */
export function setKernelParameter(facts: SystemFacts, parameter: string): Remedy {
  const boot = "Then restart the machine.";
  const what = (where: string): string => `Add ${parameter} to the kernel's command line${where}:`;
  if (facts.host === "WSL2") {
    return {
      what: "Add this to %UserProfile%\\.wslconfig on Windows:",
      lines: ["[wsl2]", `kernelCommandLine = ${parameter}`],
      afterwards: "Then run `wsl.exe --shutdown` in PowerShell, and open the folder again.",
    };
  }
  const raspberry = ["/boot/firmware/cmdline.txt", "/boot/cmdline.txt"].find((path) => facts.exists(path));
  if (raspberry !== undefined) {
    return { what: what(""), lines: [asRoot(facts, `sed -i '1s|$| ${parameter}|' ${raspberry}`)], afterwards: boot };
  }
  switch (facts.distribution.family) {
    case "fedora":
      return {
        what: what(""),
        lines: [asRoot(facts, `grubby --update-kernel=ALL --args="${parameter}"`)],
        afterwards: boot,
      };
    case "debian":
    case "ubuntu": {
      const content = [`GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ${parameter}"`];
      const file = "/etc/default/grub.d/99-sandbox-tasks.cfg";
      return {
        what: what(""),
        lines: [...writeFile(facts, file, content), asRoot(facts, "update-grub")],
        afterwards: boot,
      };
    }
    case "suse":
      return {
        what: what(""),
        lines: [
          asRoot(facts, `update-bootloader --add-option "${parameter}"`),
          asRoot(facts, "update-bootloader --config"),
        ],
        afterwards: boot,
      };
    case "nixos":
      return {
        what: what(", in configuration.nix"),
        lines: [`boot.kernelParams = [ "${parameter}" ];`, asRoot(facts, "nixos-rebuild boot")],
        afterwards: boot,
      };
    case "alpine":
      return {
        what: what(""),
        lines: [
          asRoot(facts, `sed -i 's|^default_kernel_opts="|&${parameter} |' /etc/update-extlinux.conf`),
          asRoot(facts, "update-extlinux"),
        ],
        afterwards: boot,
      };
    default:
      return otherBootLoader(facts, parameter, what, boot);
  }
}

/** Arch and what we don't know: by the boot loader that is there. */
function otherBootLoader(
  facts: SystemFacts,
  parameter: string,
  what: (where: string) => string,
  afterwards: string,
): Remedy {
  if (facts.exists("/etc/kernel/cmdline")) {
    const lines = [asRoot(facts, `sed -i '1s|$| ${parameter}|' /etc/kernel/cmdline`), asRoot(facts, "mkinitcpio -P")];
    return { what: what(""), lines, afterwards };
  }
  if (facts.exists("/etc/default/grub")) {
    const lines = [
      asRoot(facts, `sed -i 's|^GRUB_CMDLINE_LINUX="|&${parameter} |' /etc/default/grub`),
      asRoot(facts, "grub-mkconfig -o /boot/grub/grub.cfg"),
    ];
    return { what: what(""), lines, afterwards };
  }
  return { what: what(", where your boot loader keeps it"), lines: [parameter], afterwards };
}

/** How a newer kernel is had. */
export function newerKernel(facts: SystemFacts): Remedy {
  const { family, version, codename } = facts.distribution;
  const afterwards = "Then restart the machine.";
  if (facts.host === "WSL2") {
    return {
      what: "Update the kernel of WSL, in PowerShell on Windows:",
      lines: ["wsl.exe --update", "wsl.exe --shutdown"],
    };
  }
  if (facts.container !== undefined) {
    return { what: "The kernel is the host's: update it there, not in this container.", lines: [] };
  }
  const commands: Readonly<Record<string, readonly string[]>> = {
    ubuntu: [`apt install linux-generic-hwe-${version || "$(lsb_release -rs)"}`],
    debian: [
      `sh -c 'echo deb http://deb.debian.org/debian ${codename || "stable"}-backports main > /etc/apt/sources.list.d/backports.list'`,
      "apt update",
      `apt install -t ${codename || "stable"}-backports linux-image-$(dpkg --print-architecture)`,
    ],
    fedora: ["dnf upgrade kernel"],
    suse: ["zypper update kernel-default"],
    arch: ["pacman -Syu"],
    alpine: ["apk upgrade linux-lts"],
    nixos: ["nixos-rebuild switch --upgrade"],
  };
  const lines = (commands[family] ?? []).map((command) => asRoot(facts, command));
  return { what: `Install a newer kernel than ${facts.release}${lines.length > 0 ? ":" : "."}`, lines, afterwards };
}

// Machines as the doctor would find them: the texts of their files, written after what such systems are documented to have
// (none was at hand to copy from) and cut to what is read. An entry that ends in a slash is a folder.

import type { Machine } from "../../src/sandbox/doctor/machine";

interface Recorded {
  readonly files: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly executable?: string;
}

export function machine({
  files,
  environment = {},
  uid = 1000,
  executable = "/usr/share/code/code",
}: Recorded): Machine {
  return {
    read: (path) => files[path],
    exists: (path) => Object.hasOwn(files, path) || Object.hasOwn(files, `${path}/`),
    environment,
    uid,
    executable,
  };
}

const ROOT_MOUNT = "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw";
const PROC_MOUNT = "24 29 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw";
const CGROUP2_MOUNT =
  "30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot";
const DESKTOP_MOUNTS = [ROOT_MOUNT, PROC_MOUNT, CGROUP2_MOUNT].join("\n");

/** /proc/self/status of an ordinary user, or of a container's root without CAP_SYS_ADMIN. */
const status = (seccomp: string, capabilities = "0000000000000000"): string =>
  `Name:\tnode\nCapEff:\t${capabilities}\nNoNewPrivs:\t0\nSeccomp:\t${seccomp}\nSeccomp_filters:\t${seccomp === "0" ? 0 : 1}\n`;

const DESKTOP: Readonly<Record<string, string>> = {
  "/proc/self/status": status("0"),
  "/proc/self/uid_map": "         0          0 4294967295\n",
  "/proc/self/mountinfo": DESKTOP_MOUNTS,
  "/proc/self/cgroup": "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-code-4711.scope\n",
  "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro quiet splash\n",
  "/run/systemd/system/": "",
};

export const UBUNTU_24_04: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n',
  "/proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
  "/proc/version": "Linux version 6.8.0-45-generic (buildd@lcy02-amd64-115) #45-Ubuntu SMP PREEMPT_DYNAMIC\n",
  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
  "/proc/sys/kernel/unprivileged_userns_clone": "1\n",
  "/proc/self/attr/current": "unconfined\n",
  "/sys/kernel/security/lsm": "lockdown,capability,landlock,yama,apparmor",
  "/etc/apparmor.d/": "",
  "/etc/apparmor.d/abi/4.0": "",
  "/etc/default/grub.d/": "",
};

export const DEBIAN_10: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'PRETTY_NAME="Debian GNU/Linux 10 (buster)"\nVERSION_ID="10"\nVERSION_CODENAME=buster\nID=debian\n',
  "/proc/sys/kernel/osrelease": "4.19.0-27-amd64\n",
  "/proc/sys/kernel/unprivileged_userns_clone": "0\n",
  "/proc/self/mountinfo": [
    ROOT_MOUNT,
    PROC_MOUNT,
    "31 24 0:27 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate",
    "37 24 0:33 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,memory",
  ].join("\n"),
  "/etc/default/grub.d/": "",
};

export const ARCH_HARDENED: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release": 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
  "/proc/sys/kernel/osrelease": "6.11.5-hardened1-1-hardened\n",
  "/proc/sys/kernel/unprivileged_userns_clone": "0\n",
  "/sys/kernel/security/lsm": "capability,yama,bpf",
  "/etc/default/grub": "",
};

export const FEDORA_CONFINED: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'NAME="Fedora Linux"\nPRETTY_NAME="Fedora Linux 41 (Workstation Edition)"\nVERSION_ID=41\nID=fedora\n',
  "/proc/sys/kernel/osrelease": "6.11.4-301.fc41.x86_64\n",
  "/sys/fs/selinux/enforce": "1",
  "/proc/self/attr/current": "user_u:user_r:user_t:s0\0",
  "/sys/kernel/security/lsm": "lockdown,capability,yama,selinux,bpf,landlock,ipe,ima,evm",
};

export const ROCKY_STIG: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n',
  "/proc/sys/kernel/osrelease": "5.14.0-427.13.1.el9_4.x86_64\n",
  "/proc/sys/user/max_user_namespaces": "0\n",
  "/sys/kernel/security/lsm": "lockdown,capability,yama,selinux,bpf",
};

const CONTAINER: Readonly<Record<string, string>> = {
  "/etc/os-release":
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
  "/proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
  "/proc/self/status": status("2", "00000000a80425fb"),
  "/proc/self/uid_map": "         0          0 4294967295\n",
  "/proc/self/cgroup": "0::/\n",
  "/proc/self/mountinfo": [
    "712 540 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B",
    "713 712 0:58 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
    "738 713 0:58 /bus /proc/bus ro,nosuid,nodev,noexec,relatime - proc proc rw",
    "745 713 0:61 / /proc/acpi ro,relatime - tmpfs tmpfs ro,inode64",
    "746 713 0:59 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755",
    "719 718 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate",
  ].join("\n"),
};

export const DOCKER: Readonly<Record<string, string>> = {
  ...CONTAINER,
  "/.dockerenv": "",
  "/proc/self/attr/current": "docker-default (enforce)\n",
};

export const DOCKER_UNCONFINED: Readonly<Record<string, string>> = {
  ...DOCKER,
  "/proc/self/status": status("0", "00000000a80425fb"),
};

export const PODMAN: Readonly<Record<string, string>> = {
  ...CONTAINER,
  "/run/.containerenv": 'engine="podman-5.2.2"\nname="dev"\nrootless=1\n',
  "/proc/self/attr/current": "system_u:system_r:container_t:s0:c1,c2\0",
  "/sys/fs/selinux/enforce": "1",
};

export const ALPINE: Readonly<Record<string, string>> = {
  "/etc/os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n',
  "/proc/sys/kernel/osrelease": "6.6.58-0-lts\n",
  "/proc/self/status": status("0"),
  "/proc/self/uid_map": "         0          0 4294967295\n",
  "/proc/self/mountinfo": DESKTOP_MOUNTS,
  "/proc/self/cgroup": "0::/\n",
  "/sys/kernel/security/lsm": "lockdown,capability,yama",
};

export const WSL_1: Readonly<Record<string, string>> = {
  "/etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.3 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n',
  "/proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n",
  "/proc/version": "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) #3996-Microsoft\n",
  "/proc/self/status": "Name:\tnode\n",
};

export const WSL_2: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.3 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n',
  "/proc/sys/kernel/osrelease": "5.10.102.1-microsoft-standard-WSL2\n",
  "/proc/version": "Linux version 5.10.102.1-microsoft-standard-WSL2 (oe-user@oe-host)\n",
};

export const GVISOR: Readonly<Record<string, string>> = {
  ...CONTAINER,
  "/.dockerenv": "",
  "/proc/sys/kernel/osrelease": "4.4.0\n",
  "/proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n",
  "/proc/self/status": status("0"),
};

export const FLATPAK: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'NAME="Freedesktop SDK"\nPRETTY_NAME="Freedesktop SDK 23.08 (Flatpak runtime)"\nID=org.freedesktop.platform\n',
  "/proc/sys/kernel/osrelease": "6.10.6\n",
  "/.flatpak-info": "[Application]\nname=com.visualstudio.code\n",
  "/proc/self/status": status("2"),
};

export const CODE_SERVER_SERVICE: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'PRETTY_NAME="openSUSE Leap 15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n',
  "/proc/sys/kernel/osrelease": "6.4.0-150600.21-default\n",
  "/proc/self/status": status("2"),
  "/proc/self/cgroup": "0::/system.slice/system-code\\x2dserver.slice/code-server@me.service\n",
  "/sys/kernel/security/lsm": "lockdown,capability,apparmor,bpf",
};

export const RASPBERRY_PI: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release":
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
  "/proc/sys/kernel/osrelease": "6.6.51+rpt-rpi-2712\n",
  "/proc/cmdline": "coherent_pool=1M cgroup_disable=memory console=tty1 root=PARTUUID=d8c2 rootwait\n",
  "/boot/firmware/cmdline.txt": "console=tty1 root=PARTUUID=d8c2 rootwait\n",
};

export const NIXOS: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release": 'NAME=NixOS\nID=nixos\nPRETTY_NAME="NixOS 24.11 (Vicuna)"\nVERSION_ID="24.11"\n',
  "/proc/sys/kernel/osrelease": "6.6.60-hardened1\n",
  "/proc/sys/kernel/unprivileged_userns_clone": "0\n",
  "/proc/sys/vm/memfd_noexec": "2\n",
};

/** A process in a chroot: no mount of its own at "/". */
export const CHROOT: Readonly<Record<string, string>> = {
  ...DESKTOP,
  "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  "/proc/sys/kernel/osrelease": "6.1.0-25-amd64\n",
  "/proc/self/mountinfo": "24 29 0:22 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
};

export const SNAP: Readonly<Record<string, string>> = {
  ...UBUNTU_24_04,
  "/proc/self/attr/current": "snap.editor.editor (enforce)\n",
};

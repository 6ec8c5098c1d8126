// AppArmor and SELinux: what they refuse to this very process, and the rule that allows it and nothing else.

import { type Cause, isRefusedNamespace } from "../cause";
import type { SystemFacts } from "../facts";
import { asRoot, onTheHost, type Remedy, setSysctl, writeFile } from "../remedy";

const RESTRICTION = "kernel.apparmor_restrict_unprivileged_userns";
const PROFILE = "/etc/apparmor.d/sandbox-tasks";
const RESTART =
  "Then end the editor and start it again (over SSH: Remote-SSH: Kill VS Code Server on Host), as a profile takes hold when a program starts.";

/**
 * The path of a program as AppArmor's rules match it, with a wildcard for what an update changes: the commit or the
 * version in the folder of an editor's server, the revision of a snap.
 */
export function attachment(executable: string): string {
  return executable
    .replace(/[\\*?[\]{}^"]/g, "\\$&")
    .replace(/^(\/snap\/[^/]+\/)\d+(?=\/)/, "$1*")
    .replace(/[0-9a-f]{40}/g, "*")
    .replace(/(?<=[-/v])\d+\.\d+(\.\d+)+(?=[-/])/g, "*");
}

/** Whether the program is the editor's own: a profile for every program in Node would open the door to all of them. */
const isEditors = (executable: string): boolean => !/^\/(usr\/(local\/)?)?bin\/node(js)?$/.test(executable);

export function appArmorProfile(facts: SystemFacts): string[] {
  return [
    "# Lets this editor make the user namespaces that Sandbox Tasks runs tasks in.",
    ...(facts.exists("/etc/apparmor.d/abi/4.0") ? ["abi <abi/4.0>,"] : []),
    "include <tunables/global>",
    "",
    `profile sandbox-tasks "${attachment(facts.executable)}" flags=(unconfined) {`,
    "  userns,",
    "}",
  ];
}

/** Ubuntu from 23.10 on (apparmor.d(5), "userns"). */
const appArmorRestriction: Cause = {
  id: "apparmor_restrict_unprivileged_userns",
  applies: (failure, facts) =>
    isRefusedNamespace(failure) &&
    facts.sysctl(RESTRICTION) === "1" &&
    !facts.privileged &&
    (facts.label === undefined || /^(unconfined|unprivileged_userns)\b/.test(facts.label)),
  title: () => "AppArmor refuses user namespaces to this editor",
  why: () =>
    `${RESTRICTION} is 1: a program without a profile of its own may at most make a user namespace, and is refused every privileged act in it.`,
  remedies: (facts) => [
    {
      what: `Give ${isEditors(facts.executable) ? "this editor" : "this Node, and so every program in it,"} a profile with the right to user namespaces.${onTheHost(facts)}`,
      lines: [...writeFile(facts, PROFILE, appArmorProfile(facts)), asRoot(facts, `apparmor_parser -r ${PROFILE}`)],
      afterwards: RESTART,
    },
    {
      what: `Or lift the restriction for every program, which is blunter.${onTheHost(facts)}`,
      lines: setSysctl(facts, RESTRICTION, "0"),
    },
  ],
};

/** The name of the profile that we are under: "docker-default (enforce)". */
const profileName = ({ label }: SystemFacts): string | undefined => /^(\S+) \(enforce\)$/.exec(label ?? "")?.[1];

/** What a profile may lack. Older parsers don't know the rule for user namespaces, and older kernels don't ask for it. */
const lacking = (facts: SystemFacts): string[] => [
  ...(facts.exists("/etc/apparmor.d/abi/4.0") ? ["userns"] : []),
  ...["capability", "mount", "umount", "pivot_root"],
];

const appArmorProfileOfOurs: Cause = {
  id: "apparmor_profile",
  applies: (failure, facts) => isRefusedNamespace(failure) && profileName(facts) !== undefined && !facts.selinux,
  title: (facts) => `The AppArmor profile ${profileName(facts)} confines this editor`,
  why: (facts) =>
    `/proc/self/attr/current says "${facts.label}", and a profile that is enforced allows only what it names.`,
  remedies: (facts) => {
    const name = profileName(facts) ?? "";
    const log: Remedy = {
      what: "See what it refused:",
      lines: [asRoot(facts, "journalctl -k --grep 'apparmor=.DENIED'")],
    };
    const local = `/etc/apparmor.d/local/${name}`;
    return [
      {
        what: "Allow it in the profile's local part, where the profile includes one:",
        lines: [
          `printf '${lacking(facts).join(",\\n")},\\n' | ${asRoot(facts, `tee -a ${local}`)}`,
          asRoot(facts, "systemctl reload apparmor"),
        ],
        afterwards: RESTART,
      },
      log,
    ];
  },
};

/** The type in "user_u:user_r:user_t:s0". */
const domain = ({ label }: SystemFacts): string | undefined => label?.split(":")[2];

/** The class user_namespace, Linux 6.1 (commit ed5d44d42c95); confined users (semanage-login(8)) are not allowed it. */
const seLinuxDomain: Cause = {
  id: "selinux_domain",
  applies: (failure, facts) =>
    isRefusedNamespace(failure) && facts.selinux && domain(facts) !== undefined && domain(facts) !== "unconfined_t",
  title: (facts) => `SELinux confines this editor to the domain ${domain(facts)}`,
  why: (facts) => `SELinux is enforcing, and /proc/self/attr/current says "${facts.label}".`,
  remedies: (facts) => {
    const type = domain(facts) ?? "";
    const rule = `(allow ${type} ${type} (user_namespace (create)))(allow ${type} ${type} (cap_userns (sys_admin net_admin setpcap)))`;
    return [
      {
        what: `Allow user namespaces to ${type} by a module of its own:`,
        lines: [`echo '${rule}' >sandbox-tasks.cil`, asRoot(facts, "semodule -i sandbox-tasks.cil")],
      },
      {
        what: "Or take yourself out of the confined users, where that is what you are:",
        lines: [asRoot(facts, 'semanage login -m -s unconfined_u "$USER"')],
        afterwards: "Then log out and in again.",
      },
      { what: "See what was refused:", lines: [asRoot(facts, "ausearch -m avc,user_avc -ts recent")] },
    ];
  },
};

export const SECURITY_MODULE_CAUSES: readonly Cause[] = [appArmorRestriction, appArmorProfileOfOurs, seLinuxDomain];

// Knobs by which a kernel keeps namespaces from ordinary users (user_namespaces(7), namespaces(7)).

import { NAMESPACE_FEATURES } from "../../../spawner/features";
import { type Cause, type Failure, isRefusedNamespace, takesNamespaces } from "../cause";
import type { SystemFacts } from "../facts";
import { onTheHost, setSysctl } from "../remedy";

const USERNS_CLONE = "kernel.unprivileged_userns_clone";

/** Debian's patch, which linux-hardened (Arch, NixOS, Alpine) has too. */
const unprivilegedUsernsClone: Cause = {
  id: "unprivileged_userns_clone",
  applies: (failure, facts) => isRefusedNamespace(failure) && facts.sysctl(USERNS_CLONE) === "0" && !facts.privileged,
  title: () => "This kernel keeps user namespaces from ordinary users",
  why: () => `${USERNS_CLONE} is 0: hardened kernels and old Debian ones are set so.`,
  remedies: (facts) => [
    facts.distribution.family === "nixos"
      ? {
          what: "Allow them, in configuration.nix:",
          lines: ["security.unprivilegedUsernsClone = true;", "sudo nixos-rebuild switch"],
        }
      : { what: `Allow them, now and at every start.${onTheHost(facts)}`, lines: setSysctl(facts, USERNS_CLONE, "1") },
  ],
};

/** Which kind is used up: the feature's own, else one whose limit is 0. */
function exhausted(failure: Failure, facts: SystemFacts): string | undefined {
  const kinds = Object.keys(NAMESPACE_FEATURES).filter((kind) => facts.sysctl(`user.max_${kind}_namespaces`) === "0");
  return kinds.find((kind) => NAMESPACE_FEATURES[kind] === failure.feature) ?? kinds[0];
}

const isUsedUp = ({ feature, errno }: Failure): boolean =>
  takesNamespaces(feature) && (errno === "ENOSPC" || errno === "EUSERS");

/** RHEL 7 came so, and hardening guides (CIS, STIG) ask for it. */
const noNamespaces: Cause = {
  id: "max_namespaces",
  applies: (failure, facts) => isUsedUp(failure) && exhausted(failure, facts) !== undefined,
  title: (facts, failure) => `This system allows no ${exhausted(failure, facts)} namespaces at all`,
  why: (facts, failure) => `user.max_${exhausted(failure, facts)}_namespaces is 0, and that counts for everybody.`,
  remedies: (facts, failure) => [
    {
      what: `Allow them, now and at every start.${onTheHost(facts)}`,
      lines: setSysctl(facts, `user.max_${exhausted(failure, facts)}_namespaces`, "15000"),
    },
  ],
};

const tooManyNamespaces: Cause = {
  id: "namespaces_used_up",
  applies: isUsedUp,
  title: () => "There are as many namespaces as this system allows",
  why: () =>
    "The limits in /proc/sys/user are not 0, so they are reached here or in a user namespace further out (a container's), or user namespaces are nested 32 deep.",
  remedies: (facts) => [
    { what: "See what is allowed:", lines: ["grep . /proc/sys/user/max_*_namespaces"] },
    {
      what: `Allow more, now and at every start.${onTheHost(facts)}`,
      lines: setSysctl(facts, "user.max_user_namespaces", "15000"),
    },
  ],
};

export const USER_NAMESPACE_CAUSES: readonly Cause[] = [unprivilegedUsernsClone, noNamespaces, tooManyNamespaces];

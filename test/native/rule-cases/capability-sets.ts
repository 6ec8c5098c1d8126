// Cases of the rules about capability sets.

import { type Case, inUser, sys, USER } from "./case";

export const CAPS: readonly Case[] = [
  {
    rule: "a bounding set that is left alone is not set",
    options: sys({ capabilities: { bounding: ["CAP_KILL"], keepBounding: true } }),
    path: "sys.capabilities.bounding",
    words: /excludes keepBounding/,
    sound: sys({ capabilities: { keepBounding: true } }),
  },
  {
    rule: "what is effective is permitted",
    options: sys({ capabilities: { effective: ["CAP_KILL"] } }),
    path: "sys.capabilities.effective[0]",
    words: /CAP_KILL must be in permitted too.*capset\(2\): EPERM/,
    sound: sys({ capabilities: { effective: ["CAP_KILL"], permitted: ["CAP_KILL"] } }),
    kernel: ["maps(0); caps(0x20, 0x10, 0)", "EPERM"],
  },
  {
    rule: "nobody permits himself more",
    options: sys({ capabilities: { permitted: ["CAP_KILL"] } }),
    by: { permitted: new Set<never>() },
    path: "sys.capabilities.permitted[0]",
    words: /CAP_KILL is not permitted to you/,
    sound: inUser([], { capabilities: { permitted: ["CAP_KILL"] } }),
    kernel: ["ordinary(); caps(0, 0x20, 0)", "EPERM"],
  },
  {
    rule: "what is inheritable is in the bounding set",
    options: inUser([], { capabilities: { inheritable: ["CAP_KILL"], bounding: ["CAP_CHOWN"] } }),
    path: "sys.capabilities.inheritable[0]",
    words: /CAP_KILL must be in bounding too/,
    sound: inUser([], { capabilities: { inheritable: ["CAP_KILL"], bounding: ["CAP_KILL"] } }),
    kernel: ["maps(0); call('prctl', 24, 5); caps(0, 0x20, 0x20)", "EPERM"],
  },
  {
    rule: "what is ambient is permitted",
    options: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { bounding: ["CAP_KILL"] } }),
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL must be in sys.capabilities.permitted too/,
    sound: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"] } }),
    kernel: ["maps(0); caps(0, 0x10, 0x30); call('prctl', 47, 2, 5, 0, 0)", "EPERM"],
  },
  {
    rule: "what is ambient is in the bounding set",
    options: inUser([], { ambientCaps: ["CAP_KILL"], capabilities: { permitted: ["CAP_KILL"] } }),
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL must be in sys.capabilities.bounding too/,
  },
  {
    rule: "an ordinary user has nothing to make ambient",
    options: sys({ ambientCaps: ["CAP_KILL"] }),
    by: USER,
    path: "sys.ambientCaps[0]",
    words: /CAP_KILL is not permitted to you/,
    sound: inUser([], { ambientCaps: ["CAP_KILL"] }, 1000),
    kernel: ["ordinary(); call('prctl', 47, 2, 5, 0, 0)", "EPERM"],
  },
];

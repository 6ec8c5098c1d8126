// Cases of the rules about tracing.

import { type Case, inUser, join, sys } from "./case";

export const TRACING: readonly Case[] = [
  {
    rule: "a tracer traces its own child",
    options: inUser(["CLONE_NEWPID"], { ptrace: true }),
    path: "sys.ptrace",
    words: /excludes a PID 1 before the command.*Set sys.init to false/,
  },
  {
    rule: "a tracer traces no grandchild that is born inside",
    options: join(["CLONE_NEWPID"], { ptrace: true }),
    path: "sys.ptrace",
    words: /excludes joining CLONE_NEWPID/,
  },
  {
    rule: "who may not be traced is not traced",
    options: sys({ cloneflags: ["CLONE_UNTRACED"], ptrace: true }),
    path: "sys.ptrace",
    words: /excludes CLONE_UNTRACED/,
  },
];

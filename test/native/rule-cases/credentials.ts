// Cases of the rules about credentials.

import { type Case, inUser, sys, USER } from "./case";

export const CREDENTIALS: readonly Case[] = [
  {
    rule: "a user inside is mapped",
    options: inUser([], { credential: { uid: 1, gid: 0 } }),
    path: "sys.credential.uid",
    words: /not mapped in the new user namespace.*add a line to sys.uidMappings/,
    sound: inUser([], { credential: { uid: 0, gid: 0 } }),
    kernel: ["maps(0); call('setresuid', 1, 1, 1)", "EINVAL"],
  },
  {
    rule: "nobody is mapped without maps",
    options: sys({ cloneflags: ["CLONE_NEWUSER"], credential: { uid: 0, gid: 0 } }),
    path: "sys.credential.gid",
    words: /not mapped in the new user namespace/,
    kernel: ["call('unshare', NEWUSER); call('setresgid', 0, 0, 0)", "EINVAL"],
  },
  {
    rule: "groups inside are mapped",
    options: inUser([], { gidMappingsEnableSetgroups: true, credential: { uid: 0, gid: 0, groups: [0, 7] } }),
    path: "sys.credential.groups[1]",
    words: /not mapped in the new user namespace.*sys.gidMappings/,
    sound: inUser([], { gidMappingsEnableSetgroups: true, credential: { uid: 0, gid: 0, groups: [0] } }),
  },
  {
    rule: "a user exists in our own user namespace",
    options: sys({ credential: { uid: 5, gid: 0 } }),
    by: { uidRanges: [{ first: 0, size: 5 }] },
    path: "sys.credential.uid",
    words: /not mapped in your user namespace/,
  },
  {
    rule: "another user needs CAP_SETUID",
    options: sys({ credential: { uid: 0, gid: 1000, noSetGroups: true } }),
    by: USER,
    path: "sys.credential.uid",
    words: /^needs CAP_SETUID.*you may only be 1000 \(setresuid\(2\): EPERM\)/,
    sound: sys({ credential: { uid: 1000, gid: 1000, noSetGroups: true } }),
    kernel: ["ordinary(); call('setresuid', 0, 0, 0)", "EPERM"],
  },
  {
    rule: "the saved user may be had back without a capability",
    options: sys({ credential: { uid: 7, gid: 8, noSetGroups: true } }),
    by: { ...USER, uids: [1000, 1000, 7], gids: [1000] },
    path: "sys.credential.gid",
    words: /^needs CAP_SETGID.*you may only be 1000/,
    sound: sys({ credential: { uid: 7, gid: 1000, noSetGroups: true } }),
  },
  {
    rule: "no list of groups is set without CAP_SETGID, not even an empty one",
    options: sys({ credential: { uid: 1000, gid: 1000 } }),
    by: USER,
    path: "sys.credential.noSetGroups",
    words: /must be true: setgroups\(2\) needs CAP_SETGID/,
    kernel: ["ordinary(); call('setgroups', 0, 0)", "EPERM"],
  },
  {
    rule: "groups can't be set where the maps deny it",
    options: inUser([], { credential: { uid: 0, gid: 0, groups: [0] } }),
    path: "sys.credential.groups",
    words: /denies setgroups\(2\).*set noSetGroups, or sys.gidMappingsEnableSetgroups/,
    sound: inUser([], { credential: { uid: 0, gid: 0, groups: [] } }),
    kernel: ["maps(0); call('setgroups', 0, 0)", "EPERM"],
  },
  {
    rule: "groups can't be set and left",
    options: sys({ credential: { uid: 0, gid: 0, groups: [1], noSetGroups: true } }),
    path: "sys.credential.groups",
    words: /excludes noSetGroups/,
  },
  {
    rule: "groups can't be set where our own user namespace denies it",
    options: sys({ credential: { uid: 0, gid: 0 } }),
    by: { setgroups: false },
    path: "sys.credential.noSetGroups",
    words: /your own user namespace denies setgroups/,
  },
];

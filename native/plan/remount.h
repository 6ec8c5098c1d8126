// Mount attributes where mount_setattr(2) is missing: before Linux 5.12, or behind a filter that hides it.
#pragma once

#include "run.h"
#include "trees.h"

namespace plan {

/// Error index of the steps that mount: the attributes were at fault, set in this older way.
constexpr int kOlderWay = -1;

/// Sets attributes on an attached tree, as mount_setattr(2) does on a detached one: on its mount and, when recursive,
/// on each mount below. Either every one of them has the attributes afterwards, or nobody can reach it, or this fails.
Outcome remount_tree(Context& context, int tree_fd, Attributes attributes);

/// The number of the mount that an fd is on, as in /proc/self/mountinfo.
Outcome mount_id(int fd);

}  // namespace plan

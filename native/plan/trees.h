// Trees of mounts: made or copied out of sight, and attached when they are as they shall be.
#pragma once

#include "run.h"

namespace plan {

/// What is asked of a tree's mounts, beyond what they have.
struct Attributes {
  /// MOUNT_ATTR_*, mount_setattr(2).
  int64_t set = 0;
  bool recursive = false;
};

/// A detached copy of the mount at `path`, with all below it when it is to be recursive. Where mount_setattr(2) is
/// missing it does not have the attributes yet: complete() after attach() gives it those.
Outcome clone_tree(Context& context, int directory_fd, const char* path, Attributes attributes);

/// A detached mount of a new file system. On failure `index` is the option at fault, counted from 2.
Outcome create_mount(const char* type, const char* source, char* const* options, int64_t attributes);

/// With `index` 1: the destination was at fault.
Outcome attach(int tree_fd, int destination_fd);

/// Sets what clone_tree() could not. Nothing runs inside yet that could have seen the tree without.
Outcome complete(Context& context, int tree_fd, Attributes attributes);

/// Puts the tree over the old root, where the absolute paths of sources, which begin at the old root itself, do not see
/// it. The context owns it from then on.
Outcome become_root(Context& context, int tree_fd);

/// Sets attributes on a mount that is attached already.
Outcome change_attributes(Context& context, int mount_fd, Attributes attributes);

/// Covers a directory with an empty one that nobody can write to.
Outcome cover_directory(Context& context, int directory_fd);

}  // namespace plan

// Path lookup one component at a time, where openat2(2) is missing: before Linux 5.6, or behind a filter that hides it.
// Both results are O_PATH fds.
#pragma once

#include "run.h"

namespace plan {

/// As openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: `root_fd` is the root of absolute paths and links, and
/// nothing leads above it, whatever others rename meanwhile.
/// @param directory O_DIRECTORY: anything else is ENOTDIR
Outcome walk_in_root(int root_fd, const char* path, bool directory);

/// As openat2(2) with RESOLVE_NO_SYMLINKS: a symbolic link anywhere in the path is ELOOP.
Outcome walk_without_links(const char* path);

}  // namespace plan

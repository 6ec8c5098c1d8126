// Where a mount comes from and where it goes: paths become O_PATH fds here, and missing mount points are made, but
// never on a file system of the host's.
#pragma once

#include "run.h"

namespace plan {

constexpr size_t kPathMax = 4096;

enum MountFlag : int64_t { kMountRecursive = 1, kMountOptional = 2, kMountNoFollow = 4, kMountInside = 8 };
enum class Kind { directory, file };

/// Opens a source on the host. With kMountNoFollow a symbolic link anywhere in the path is ELOOP: whoever chose the
/// path had resolved it, so a link that is there now was put in its way since. With kMountInside it is not the host's:
/// it is looked up inside the new root, as it is by then.
Outcome open_source(Context& context, const char* path, int64_t flags);

/// Opens what is at `path` in this process's root; kMountNoFollow as for a source. No link of /proc that is no path is
/// followed.
Outcome open_here(Context& context, const char* path, int64_t flags);

/// Opens what is at `path` inside the new root, where absolute links lead back into that root.
Outcome open_in_root(Context& context, const char* path, bool directory = false);

/// Opens a mount point, and makes it first where that is allowed. With `index` 1: the destination was at fault.
Outcome open_destination(Context& context, const char* path, Kind kind);

Outcome kind_of(int fd, Kind* kind);

/// From now on mount points may be made on the file system of this mount.
Outcome remember_own(Context& context, int mount_fd);

/// Opens the parent of `path` when it is on a file system of the plan's own; EROFS when it is the host's, where nothing
/// may be made. `name` becomes the last component.
Outcome open_own_parent(Context& context, const char* path, char (&buffer)[kPathMax], const char** name);

Outcome make_directory(Context& context, const char* path, int64_t mode);

/// Makes the missing directories above `path`, each only on a file system of the plan's own.
Outcome make_parents(Context& context, const char* path);

}  // namespace plan

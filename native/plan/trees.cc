#include "trees.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>

#include "attempt.h"
#include "remount.h"

namespace plan {

namespace {

constexpr int kRecursive = 0x8000;        // AT_RECURSIVE
constexpr int kEmptyPath = 0x1000;        // AT_EMPTY_PATH
constexpr uint64_t kAccessTime = 0x0070;  // MOUNT_ATTR__ATIME

/// ENOSYS where the kernel (before Linux 5.12) or a filter has no mount_setattr(2).
Outcome set_attributes(Context& context, int mount_fd, Attributes attributes) {
  if (attributes.set == 0) return {};
  if (context.lacks_mount_setattr) return failure(SYS_mount_setattr, ENOSYS);
  mount_attr change = {};
  change.attr_set = static_cast<uint64_t>(attributes.set);
  // The ways to keep access times exclude one another: one is set by clearing the others.
  if ((change.attr_set & kAccessTime) != 0) change.attr_clr = kAccessTime;
  Outcome r = attempt(SYS_mount_setattr, mount_fd, "", kEmptyPath | (attributes.recursive ? kRecursive : 0), &change,
                      sizeof change);
  context.lacks_mount_setattr = r.error == ENOSYS;
  return r;
}

/// "key=value" becomes a string parameter, "key" a flag.
Outcome configure(int filesystem_fd, const char* option) {
  char key[64];
  size_t n = 0;
  while (option[n] != 0 && option[n] != '=') {
    if (n + 1 == sizeof key) return failure(SYS_fsconfig, EINVAL);
    key[n] = option[n];
    n++;
  }
  key[n] = 0;
  if (option[n] == 0) return attempt(SYS_fsconfig, filesystem_fd, FSCONFIG_SET_FLAG, key, nullptr, 0);
  return attempt(SYS_fsconfig, filesystem_fd, FSCONFIG_SET_STRING, key, option + n + 1, 0);
}

/// A detached mount of an empty directory: the first is made, the others are copies of it, as a file system of its own
/// for each costs more than all the rest of a mask.
Outcome empty_directory(Context& context) {
  if (context.mask_fd >= 0) return clone_tree(context, context.mask_fd, "", {});
  char* const options[] = {const_cast<char*>("nr_inodes=1"), const_cast<char*>("mode=0555"), nullptr};
  return create_mount("tmpfs", "tmpfs", options,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

}  // namespace

// Attributes are set on the copy: nobody can hold a file open for writing there yet, which would make a recursive
// read-only change fail with EBUSY.
Outcome clone_tree(Context& context, int directory_fd, const char* path, Attributes attributes) {
  int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kEmptyPath | (attributes.recursive ? kRecursive : 0);
  Outcome tree = attempt(SYS_open_tree, directory_fd, path, flags);
  if (!tree) return tree;
  Outcome r = set_attributes(context, static_cast<int>(tree.value), attributes);
  if (r || r.error == ENOSYS) return tree;
  sys::call(SYS_close, tree.value);
  return r;
}

Outcome create_mount(const char* type, const char* source, char* const* options, int64_t attributes) {
  Outcome filesystem = attempt(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (!filesystem) return filesystem;
  ScopedFd fd(filesystem.value);
  if (Outcome r = attempt(SYS_fsconfig, fd.get(), FSCONFIG_SET_STRING, "source", source, 0); !r) return r;
  for (int i = 0; options[i] != nullptr; i++) {
    if (Outcome r = configure(fd.get(), options[i]); !r) return r.at(2 + i);
  }
  if (Outcome r = attempt(SYS_fsconfig, fd.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0); !r) return r;
  return attempt(SYS_fsmount, fd.get(), FSMOUNT_CLOEXEC, attributes);
}

Outcome attach(int tree_fd, int destination_fd) {
  return attempt(SYS_move_mount, tree_fd, "", destination_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
      .at(1);
}

Outcome complete(Context& context, int tree_fd, Attributes attributes) {
  if (!context.lacks_mount_setattr || attributes.set == 0) return {};
  return remount_tree(context, tree_fd, attributes);
}

Outcome become_root(Context& context, int tree_fd) {
  if (Outcome r = attempt(SYS_move_mount, tree_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH); !r) return r;
  sys::call(SYS_close, context.root_fd);
  context.root_fd = tree_fd;
  return {};
}

Outcome change_attributes(Context& context, int mount_fd, Attributes attributes) {
  Outcome r = set_attributes(context, mount_fd, attributes);
  return r.error == ENOSYS ? complete(context, mount_fd, attributes) : r;
}

Outcome cover_directory(Context& context, int directory_fd) {
  Outcome cover = empty_directory(context);
  if (!cover) return cover;
  ScopedFd cover_fd(cover.value);
  if (Outcome r = attach(cover_fd.get(), directory_fd); !r) return r;
  if (context.mask_fd < 0) context.mask_fd = cover_fd.release();
  return {};
}

}  // namespace plan

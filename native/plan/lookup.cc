#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "attempt.h"
#include "walk.h"

namespace plan {

namespace {

constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH
constexpr int kRetries = 32;

/// openat2(2), or ENOSYS from the first time on that it was missing.
Outcome open_resolved(Context& context, int directory_fd, const char* path, uint64_t flags, uint64_t resolve) {
  if (context.lacks_openat2) return failure(SYS_openat2, ENOSYS);
  open_how how = {};
  how.flags = flags | O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  Outcome r;
  // EAGAIN: something was renamed below the root during the walk, and the kernel could not be sure (openat2(2)).
  for (int i = 0; i < kRetries; i++) {
    r = attempt(SYS_openat2, directory_fd, path, &how, sizeof how);
    if (r.error != EAGAIN) break;
  }
  context.lacks_openat2 = r.error == ENOSYS;
  return r;
}

Outcome device_of(int fd, uint64_t* device) {
  // statx gives the device of the file system without libc's struct stat translation.
  struct statx status;
  Outcome r = attempt(SYS_statx, fd, "", kEmptyPath, 0, &status);
  if (r) *device = static_cast<uint64_t>(status.stx_dev_major) << 32 | status.stx_dev_minor;
  return r;
}

bool is_own(const Context& context, uint64_t device) {
  for (size_t i = 0; i < context.own_device_count; i++) {
    if (context.own_devices[i] == device) return true;
  }
  return false;
}

/// Where the last component begins; slashes behind it do not count.
size_t last_component(const char* path, size_t size) {
  while (size > 1 && path[size - 1] == '/') size--;
  while (size > 0 && path[size - 1] != '/') size--;
  return size;
}

Outcome make_empty_file(Context& context, const char* path) {
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, path, buffer, &name);
  if (!parent) return parent;
  ScopedFd fd(parent.value);
  return attempt(SYS_mknodat, fd.get(), name, S_IFREG | 0644, 0);
}

}  // namespace

Outcome open_source(Context& context, const char* path, int64_t flags) {
  if ((flags & kMountInside) != 0) return open_in_root(context, path);
  if ((flags & kMountNoFollow) == 0) return attempt(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
  Outcome r = open_resolved(context, AT_FDCWD, path, 0, RESOLVE_NO_SYMLINKS);
  return r.error == ENOSYS ? walk_without_links(path) : r;
}

Outcome open_here(Context& context, const char* path, int64_t flags) {
  if ((flags & kMountNoFollow) != 0) return open_source(context, path, flags);
  Outcome r = open_resolved(context, AT_FDCWD, path, 0, RESOLVE_NO_MAGICLINKS);
  if (r.error != ENOSYS) return r;
  Outcome root = attempt(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (!root) return root;
  ScopedFd fd(root.value);
  return walk_in_root(fd.get(), path, false);
}

Outcome open_in_root(Context& context, const char* path, bool directory) {
  Outcome r = open_resolved(context, context.root_fd, path, directory ? O_DIRECTORY : 0,
                            RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  return r.error == ENOSYS ? walk_in_root(context.root_fd, path, directory) : r;
}

Outcome kind_of(int fd, Kind* kind) {
  struct statx status;
  Outcome r = attempt(SYS_statx, fd, "", kEmptyPath, STATX_TYPE, &status);
  if (r) *kind = (status.stx_mode & S_IFMT) == S_IFDIR ? Kind::directory : Kind::file;
  return r;
}

Outcome remember_own(Context& context, int mount_fd) {
  uint64_t device = 0;
  Outcome r = device_of(mount_fd, &device);
  if (!r) return r;
  if (context.own_device_count == kMaxOwnFileSystems) return failure(SYS_statx, EMFILE);
  context.own_devices[context.own_device_count++] = device;
  return r;
}

Outcome open_own_parent(Context& context, const char* path, char (&buffer)[kPathMax], const char** name) {
  size_t n = length(path);
  if (n >= kPathMax) return failure(SYS_openat2, ENAMETOOLONG);
  size_t last = last_component(path, n);
  for (size_t i = 0; i < last; i++) buffer[i] = path[i];
  buffer[last] = 0;
  *name = path + last;
  Outcome parent = open_in_root(context, last == 0 ? "/" : buffer, true);
  if (!parent) return parent;
  uint64_t device = 0;
  Outcome r = device_of(static_cast<int>(parent.value), &device);
  if (r && is_own(context, device)) return parent;
  sys::call(SYS_close, parent.value);
  return r ? failure(SYS_mkdirat, EROFS) : r;
}

Outcome make_directory(Context& context, const char* path, int64_t mode) {
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, path, buffer, &name);
  if (!parent) return parent;
  ScopedFd fd(parent.value);
  if (Outcome r = attempt(SYS_mkdirat, fd.get(), name, mode); !r) return r;
  return attempt(SYS_fchmodat, fd.get(), name, mode);  // the umask does not apply to what was asked for
}

Outcome make_parents(Context& context, const char* path) {
  char prefix[kPathMax];
  size_t n = length(path);
  if (n >= kPathMax) return failure(SYS_mkdirat, ENAMETOOLONG);
  size_t last = last_component(path, n);
  for (size_t i = 0; i < last; i++) {
    prefix[i] = path[i];
    if (i == 0 || path[i] != '/') continue;
    prefix[i] = 0;
    Outcome there = open_in_root(context, prefix, true);
    if (there) {
      sys::call(SYS_close, there.value);
    } else if (there.error != ENOENT) {
      return there;
    } else if (Outcome made = make_directory(context, prefix, 0755); !made) {
      return made;
    }
    prefix[i] = '/';
  }
  return {};
}

Outcome open_destination(Context& context, const char* path, Kind kind) {
  bool directory = kind == Kind::directory;
  Outcome r = open_in_root(context, path, directory);
  if (r.error != ENOENT) return r.at(1);
  if (Outcome parents = make_parents(context, path); !parents) return parents.at(1);
  Outcome made = directory ? make_directory(context, path, 0755) : make_empty_file(context, path);
  if (!made) return made.at(1);
  return open_in_root(context, path, directory).at(1);
}

}  // namespace plan

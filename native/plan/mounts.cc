// Steps that build the file system. Everything goes through fds: a destination is opened once, inside the new root
// (openat2 with RESOLVE_IN_ROOT), and mounted on by that fd, so no symbolic link in it can lead outside
// (CVE-2021-30465).

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "attempt.h"
#include "steps.h"

namespace plan {

namespace {

constexpr int kRecursive = 0x8000;   // AT_RECURSIVE
constexpr int kEmptyPath = 0x1000;   // AT_EMPTY_PATH
constexpr int kMsRec = 16384;        // MS_REC
constexpr int kMsPrivate = 1 << 18;  // MS_PRIVATE
constexpr int kDetach = 2;           // MNT_DETACH
constexpr int kPathMax = 4096;
constexpr int kRetries = 32;

enum BindFlag : int64_t { kBindRecursive = 1, kBindOptional = 2, kBindNoFollow = 4 };
enum class Kind { directory, file };

Outcome open_in_root(const Context& context, const char* path, uint64_t flags, uint64_t mode = 0) {
  open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  Outcome r;
  // EAGAIN: something was renamed below the root during the walk, and the kernel could not be sure (openat2(2)).
  for (int i = 0; i < kRetries; i++) {
    r = attempt(SYS_openat2, context.root_fd, path, &how, sizeof how);
    if (r.error != EAGAIN) break;
  }
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

Outcome remember_own(Context& context, int mount_fd) {
  uint64_t device = 0;
  Outcome r = device_of(mount_fd, &device);
  if (!r) return r;
  if (context.own_device_count == kMaxOwnFileSystems) return failure(SYS_statx, EMFILE);
  context.own_devices[context.own_device_count++] = device;
  return r;
}

/// Opens the parent of `path` when it is on a file system of the plan's own; EROFS when it is the host's, where nothing
/// may be made. `name` becomes the last component.
Outcome open_own_parent(const Context& context, const char* path, char (&buffer)[kPathMax], const char** name) {
  size_t n = length(path);
  if (n >= kPathMax) return failure(SYS_openat2, ENAMETOOLONG);
  size_t slash = n;
  while (slash > 0 && path[slash - 1] != '/') slash--;
  for (size_t i = 0; i < slash; i++) buffer[i] = path[i];
  buffer[slash] = 0;
  *name = path + slash;
  Outcome parent = open_in_root(context, slash == 0 ? "/" : buffer, O_PATH | O_DIRECTORY);
  if (!parent) return parent;
  uint64_t device = 0;
  Outcome r = device_of(static_cast<int>(parent.value), &device);
  if (r && is_own(context, device)) return parent;
  sys::call(SYS_close, parent.value);
  return r ? failure(SYS_mkdirat, EROFS) : r;
}

Outcome make_directory(const Context& context, const char* path, int64_t mode) {
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, path, buffer, &name);
  if (!parent) return parent;
  ScopedFd fd(parent.value);
  if (Outcome r = attempt(SYS_mkdirat, fd.get(), name, mode); !r) return r;
  return attempt(SYS_fchmodat, fd.get(), name, mode);  // the umask does not apply to what was asked for
}

Outcome make_empty_file(const Context& context, const char* path) {
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, path, buffer, &name);
  if (!parent) return parent;
  ScopedFd fd(parent.value);
  return attempt(SYS_mknodat, fd.get(), name, S_IFREG | 0644, 0);
}

/// Makes the missing directories above `path`, each only on a file system of the plan's own.
Outcome make_parents(const Context& context, const char* path) {
  char prefix[kPathMax];
  size_t n = length(path);
  if (n >= kPathMax) return failure(SYS_mkdirat, ENAMETOOLONG);
  for (size_t i = 0; i < n; i++) {
    prefix[i] = path[i];
    if (i == 0 || path[i] != '/') continue;
    prefix[i] = 0;
    Outcome there = open_in_root(context, prefix, O_PATH | O_DIRECTORY);
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

/// Opens a mount point, and makes it first where that is allowed. With `index` 1: the destination was at fault.
Outcome open_destination(const Context& context, const char* path, Kind kind) {
  uint64_t flags = O_PATH | (kind == Kind::directory ? O_DIRECTORY : 0);
  Outcome r = open_in_root(context, path, flags);
  if (r.error != ENOENT) return r.at(1);
  if (Outcome parents = make_parents(context, path); !parents) return parents.at(1);
  Outcome made = kind == Kind::directory ? make_directory(context, path, 0755) : make_empty_file(context, path);
  if (!made) return made.at(1);
  return open_in_root(context, path, flags).at(1);
}

Outcome set_attributes(int mount_fd, int64_t attributes, bool recursive) {
  if (attributes == 0) return {};
  mount_attr change = {};
  change.attr_set = static_cast<uint64_t>(attributes);
  return attempt(SYS_mount_setattr, mount_fd, "", kEmptyPath | (recursive ? kRecursive : 0), &change, sizeof change);
}

/// A detached copy of the mount at `path`. Attributes are set on the copy: nobody can hold a file open for writing
/// there yet, which would make a recursive read-only change fail with EBUSY.
Outcome clone_tree(int directory_fd, const char* path, int64_t attributes, bool recursive) {
  int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | kEmptyPath | (recursive ? kRecursive : 0);
  Outcome tree = attempt(SYS_open_tree, directory_fd, path, flags);
  if (!tree) return tree;
  if (Outcome r = set_attributes(static_cast<int>(tree.value), attributes, recursive); !r) {
    sys::call(SYS_close, tree.value);
    return r;
  }
  return tree;
}

Outcome attach(int mount_fd, int destination_fd) {
  return attempt(SYS_move_mount, mount_fd, "", destination_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/// Puts the tree over the old root, where the absolute paths of sources, which begin at the old root itself, do not see
/// it.
Outcome become_root(Context& context, int mount_fd) {
  if (Outcome r = attempt(SYS_move_mount, mount_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH); !r) return r;
  sys::call(SYS_close, context.root_fd);
  context.root_fd = mount_fd;
  return {};
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

/// A detached mount of a new file system. On failure `index` is the option at fault, counted from 2.
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

Outcome kind_of(int fd, Kind* kind) {
  struct statx status;
  Outcome r = attempt(SYS_statx, fd, "", kEmptyPath, STATX_TYPE, &status);
  if (r) *kind = (status.stx_mode & S_IFMT) == S_IFDIR ? Kind::directory : Kind::file;
  return r;
}

/// Nothing that the sandbox could reach either: there is nothing to cover.
bool is_out_of_reach(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES;
}

/// A detached mount of an empty directory that nobody can write to: the first is made, the others are copies of it, as
/// a file system of its own for each costs more than all the rest of a mask.
Outcome empty_directory(const Context& context) {
  if (context.mask_fd >= 0) return clone_tree(context.mask_fd, "", 0, false);
  char* const options[] = {const_cast<char*>("nr_inodes=1"), const_cast<char*>("mode=0555"), nullptr};
  return create_mount("tmpfs", "tmpfs", options,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/// With kBindNoFollow a symbolic link anywhere in the path is ELOOP: whoever chose the path had resolved it, so a link
/// that is there now was put in its way since.
Outcome open_source(const char* path, int64_t flags) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = (flags & kBindNoFollow) != 0 ? RESOLVE_NO_SYMLINKS : 0;
  return attempt(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

}  // namespace

// Systemd mounts / shared: without this, mounts made inside would appear outside (Debian bug 739593).
Outcome step_propagation(const Step&, Context& context) {
  if (Outcome r = attempt(SYS_mount, nullptr, "/", nullptr, kMsRec | kMsPrivate, nullptr); !r) return r;
  Outcome root = attempt(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root) context.root_fd = static_cast<int>(root.value);
  return root;
}

Outcome step_root_bind(const Step& step, Context& context) {
  Outcome tree = clone_tree(AT_FDCWD, step.text(0), step.number(1), true);
  return tree ? become_root(context, static_cast<int>(tree.value)) : tree;
}

Outcome step_root_tmpfs(const Step& step, Context& context) {
  Outcome mount = create_mount("tmpfs", "tmpfs", step.vector(0), 0);
  if (!mount) return mount;
  if (Outcome r = remember_own(context, static_cast<int>(mount.value)); !r) return r;
  return become_root(context, static_cast<int>(mount.value));
}

Outcome step_mount_bind(const Step& step, Context& context) {
  int64_t flags = step.number(2);
  bool recursive = (flags & kBindRecursive) != 0;
  Outcome source = open_source(step.text(0), flags);
  if (!source) return (flags & kBindOptional) != 0 && is_out_of_reach(source.error) ? Outcome{} : source;
  ScopedFd source_fd(source.value);
  Outcome tree = clone_tree(source_fd.get(), "", step.number(3), recursive);
  if (!tree) return tree;
  ScopedFd tree_fd(tree.value);
  Kind kind;
  if (Outcome r = kind_of(tree_fd.get(), &kind); !r) return r;
  Outcome destination = open_destination(context, step.text(1), kind);
  if (!destination) return destination;
  ScopedFd destination_fd(destination.value);
  return attach(tree_fd.get(), destination_fd.get()).at(1);
}

Outcome step_mount_fs(const Step& step, Context& context) {
  Outcome mount = create_mount(step.text(0), step.text(1), step.vector(3), step.number(4));
  if (!mount) return mount;
  ScopedFd mount_fd(mount.value);
  Outcome destination = open_destination(context, step.text(2), Kind::directory);
  if (!destination) return destination;
  ScopedFd destination_fd(destination.value);
  if (Outcome r = attach(mount_fd.get(), destination_fd.get()); !r) return r.at(1);
  struct {
    long type;
    long rest[15];
  } status;
  if (Outcome r = attempt(SYS_fstatfs, mount_fd.get(), &status); !r) return r;
  return status.type == TMPFS_MAGIC ? remember_own(context, mount_fd.get()) : Outcome{};
}

Outcome step_make_dir(const Step& step, Context& context) {
  if (Outcome r = make_parents(context, step.text(0)); !r) return r;
  Outcome r = make_directory(context, step.text(0), step.number(1));
  if (r.error != EEXIST) return r;
  Outcome there = open_in_root(context, step.text(0), O_PATH | O_DIRECTORY);
  if (there) sys::call(SYS_close, there.value);
  return there;
}

Outcome step_make_symlink(const Step& step, Context& context) {
  if (Outcome r = make_parents(context, step.text(1)); !r) return r;
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, step.text(1), buffer, &name);
  if (!parent) return parent;
  ScopedFd fd(parent.value);
  return attempt(SYS_symlinkat, step.text(0), fd.get(), name);
}

Outcome step_make_file(const Step& step, Context& context) {
  if (Outcome r = make_parents(context, step.text(0)); !r) return r;
  char buffer[kPathMax];
  const char* name;
  Outcome parent = open_own_parent(context, step.text(0), buffer, &name);
  if (!parent) return parent;
  ScopedFd directory(parent.value);
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Outcome file = attempt(SYS_openat, directory.get(), name, flags, step.number(2));
  if (!file) return file;
  ScopedFd fd(file.value);
  Bytes content = step.bytes(1);
  for (size_t done = 0; done < content.size;) {
    Outcome r = attempt(SYS_write, fd.get(), content.data + done, content.size - done);
    if (!r) return r;
    done += static_cast<size_t>(r.value);
  }
  return attempt(SYS_fchmod, fd.get(), step.number(2));
}

Outcome step_mask(const Step& step, Context& context) {
  Outcome target = open_in_root(context, step.text(0), O_PATH);
  if (!target) return is_out_of_reach(target.error) ? Outcome{} : target;
  ScopedFd fd(target.value);
  Kind kind;
  if (Outcome r = kind_of(fd.get(), &kind); !r) return r;
  Outcome cover = kind == Kind::directory
                      ? empty_directory(context)
                      : clone_tree(AT_FDCWD, "/dev/null", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
  if (!cover) return cover;
  ScopedFd cover_fd(cover.value);
  if (Outcome r = attach(cover_fd.get(), fd.get()); !r) return r;
  if (kind == Kind::directory && context.mask_fd < 0) context.mask_fd = cover_fd.release();
  return {};
}

Outcome step_readonly(const Step& step, Context& context) {
  Outcome target = open_in_root(context, step.text(0), O_PATH);
  if (!target) return is_out_of_reach(target.error) ? Outcome{} : target;
  ScopedFd fd(target.value);
  Outcome tree = clone_tree(fd.get(), "", MOUNT_ATTR_RDONLY, true);
  if (!tree) return tree;
  ScopedFd tree_fd(tree.value);
  return attach(tree_fd.get(), fd.get());
}

Outcome step_root_readonly(const Step&, Context& context) {
  return set_attributes(context.root_fd, MOUNT_ATTR_RDONLY, false);
}

// pivot_root(".", ".") stacks the old root over the new one, from where it is detached; no directory is needed for it
// (pivot_root(2)).
Outcome step_pivot_root(const Step&, Context& context) {
  if (Outcome r = attempt(SYS_fchdir, context.root_fd); !r) return r;
  if (Outcome r = attempt(SYS_pivot_root, ".", "."); !r) return r;
  if (Outcome r = attempt(SYS_umount2, ".", kDetach); !r) return r;
  return attempt(SYS_chdir, "/");
}

Outcome step_chroot(const Step& step, Context&) {
  if (Outcome r = attempt(SYS_chroot, step.text(0)); !r) return r;
  return attempt(SYS_chdir, "/");
}

}  // namespace plan

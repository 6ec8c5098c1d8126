// Steps that build the file system. Everything goes through fds: a destination is opened once, inside the new root
// (openat2 with RESOLVE_IN_ROOT), and mounted on by that fd, so no symbolic link in it can lead outside
// (CVE-2021-30465).

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "attempt.h"
#include "lookup.h"
#include "remount.h"
#include "steps.h"
#include "trees.h"

namespace plan {

namespace {

constexpr int kEmptyPath = 0x1000;   // AT_EMPTY_PATH
constexpr int kMsRec = 16384;        // MS_REC
constexpr int kMsPrivate = 1 << 18;  // MS_PRIVATE
constexpr int kDetach = 2;           // MNT_DETACH

/// Nothing that the sandbox could reach either: there is nothing to cover.
bool is_out_of_reach(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES;
}

/// A file system that this kernel does not have, or not for this user namespace: the kernel's own are refused where the
/// outer one is partly covered, as in containers (mount_too_revealing in fs/namespace.c).
bool is_refused(int error) {
  return error == EPERM || error == ENODEV;
}

Outcome is_same_file(int fd, const char* path, bool* same) {
  struct statx a;
  struct statx b;
  if (Outcome r = attempt(SYS_statx, fd, "", kEmptyPath, STATX_INO, &a); !r) return r;
  if (Outcome r = attempt(SYS_statx, AT_FDCWD, path, 0, STATX_INO, &b); !r) return r;
  *same = a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor && a.stx_ino == b.stx_ino;
  return {};
}

/// The new root lies over the old one, so a recursive copy of the old root has a copy of the new one over it, and would
/// show nothing else.
Outcome uncover_old_root(Context& context, int tree_fd, const char* destination) {
  bool is_root = false;
  if (Outcome r = is_same_file(tree_fd, "/", &is_root); !r || !is_root) return r;
  Outcome top = open_in_root(context, destination, true);
  if (!top) return top;
  ScopedFd top_fd(top.value);
  Outcome visible = mount_id(top_fd.get());
  if (!visible) return visible;
  Outcome own = mount_id(tree_fd);
  if (!own || own.value == visible.value) return own;
  Outcome here = attempt(SYS_openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (!here) return here;
  ScopedFd here_fd(here.value);
  if (Outcome r = attempt(SYS_fchdir, top_fd.get()); !r) return r;
  if (Outcome r = attempt(SYS_umount2, ".", kDetach); !r) return r;
  return attempt(SYS_fchdir, here_fd.get());
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
  Attributes attributes = {step.number(1), true};
  Outcome tree = clone_tree(context, AT_FDCWD, step.text(0), attributes);
  if (!tree) return tree;
  if (Outcome r = become_root(context, static_cast<int>(tree.value)); !r) return r;
  return complete(context, context.root_fd, attributes);
}

Outcome step_root_tmpfs(const Step& step, Context& context) {
  Outcome mount = create_mount("tmpfs", "tmpfs", step.vector(0), 0);
  if (!mount) return mount;
  if (Outcome r = remember_own(context, static_cast<int>(mount.value)); !r) return r;
  return become_root(context, static_cast<int>(mount.value));
}

Outcome step_mount_bind(const Step& step, Context& context) {
  int64_t flags = step.number(2);
  Attributes attributes = {step.number(3), (flags & kMountRecursive) != 0};
  Outcome source = open_source(context, step.text(0), flags);
  if (!source) return (flags & kMountOptional) != 0 && is_out_of_reach(source.error) ? Outcome{} : source;
  ScopedFd source_fd(source.value);
  Outcome tree = clone_tree(context, source_fd.get(), "", attributes);
  if (!tree) return tree;
  ScopedFd tree_fd(tree.value);
  Kind kind;
  if (Outcome r = kind_of(tree_fd.get(), &kind); !r) return r;
  Outcome destination = open_destination(context, step.text(1), kind);
  if (!destination) return destination;
  ScopedFd destination_fd(destination.value);
  if (Outcome r = attach(tree_fd.get(), destination_fd.get()); !r) return r;
  if (attributes.recursive && kind == Kind::directory) {
    if (Outcome r = uncover_old_root(context, tree_fd.get(), step.text(1)); !r) return r.at(1);
  }
  return complete(context, tree_fd.get(), attributes);
}

Outcome step_mount_fs(const Step& step, Context& context) {
  bool optional = (step.number(4) & kMountOptional) != 0;
  Outcome mount = create_mount(step.text(0), step.text(1), step.vector(3), step.number(5));
  if (!mount) return optional && is_refused(mount.error) ? Outcome{} : mount;
  ScopedFd mount_fd(mount.value);
  Outcome destination = open_destination(context, step.text(2), Kind::directory);
  if (!destination) return optional && destination.error == EROFS ? Outcome{} : destination;
  ScopedFd destination_fd(destination.value);
  if (Outcome r = attach(mount_fd.get(), destination_fd.get()); !r) return r;
  struct statfs status;
  if (Outcome r = attempt(SYS_fstatfs, mount_fd.get(), &status); !r) return r;
  return status.f_type == TMPFS_MAGIC ? remember_own(context, mount_fd.get()) : Outcome{};
}

Outcome step_make_dir(const Step& step, Context& context) {
  if (Outcome r = make_parents(context, step.text(0)); !r) return r;
  Outcome r = make_directory(context, step.text(0), step.number(1));
  if (r.error != EEXIST) return r;
  Outcome there = open_in_root(context, step.text(0), true);
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
  Outcome target = open_in_root(context, step.text(0));
  if (!target) return is_out_of_reach(target.error) ? Outcome{} : target;
  ScopedFd fd(target.value);
  Kind kind;
  if (Outcome r = kind_of(fd.get(), &kind); !r) return r;
  if (kind == Kind::directory) return cover_directory(context, fd.get());
  Attributes attributes = {MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false};
  Outcome null = clone_tree(context, AT_FDCWD, "/dev/null", attributes);
  if (!null) return null;
  ScopedFd null_fd(null.value);
  if (Outcome r = attach(null_fd.get(), fd.get()); !r) return r;
  return complete(context, null_fd.get(), attributes);
}

Outcome step_readonly(const Step& step, Context& context) {
  Outcome target = open_in_root(context, step.text(0));
  if (!target) return is_out_of_reach(target.error) ? Outcome{} : target;
  ScopedFd fd(target.value);
  Attributes attributes = {MOUNT_ATTR_RDONLY, true};
  Outcome tree = clone_tree(context, fd.get(), "", attributes);
  if (!tree) return tree;
  ScopedFd tree_fd(tree.value);
  if (Outcome r = attach(tree_fd.get(), fd.get()); !r) return r;
  return complete(context, tree_fd.get(), attributes);
}

Outcome step_root_readonly(const Step&, Context& context) {
  return change_attributes(context, context.root_fd, {MOUNT_ATTR_RDONLY, false});
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

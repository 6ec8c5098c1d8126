// A folder of the host that can be written to without being changed: overlayfs with that folder below and a layer of
// the sandbox's own above, on a tmpfs that goes when the last process does
// (https://docs.kernel.org/filesystems/overlayfs.html; in a user namespace since Linux 5.11).

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include "attempt.h"
#include "lookup.h"
#include "steps.h"
#include "trees.h"

namespace plan {

namespace {

constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH
constexpr int kPermissions = 07777;
constexpr size_t kNumberMax = 24;

/// A short text with a number behind it.
class Numbered {
 public:
  Numbered(const char* prefix, size_t number) {
    size_t n = 0;
    while (prefix[n] != 0) {
      text_[n] = prefix[n];
      n++;
    }
    char digits[kNumberMax];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) text_[n++] = digits[--count];
    text_[n] = 0;
  }
  const char* text() const { return text_; }

 private:
  char text_[16 + kNumberMax];
};

/// The overlay is told its layers by fd, as no path could be trusted to lead to them a second time. By way of /proc,
/// because only Linux 6.13 takes the fds themselves; the kernel goes from there straight to what they have open.
Outcome set_layer(int filesystem_fd, const char* key, int layer_fd) {
  Numbered path("/proc/self/fd/", static_cast<size_t>(layer_fd));
  return attempt(SYS_fsconfig, filesystem_fd, FSCONFIG_SET_STRING, key, path.text(), 0);
}

/// The tmpfs for all upper layers of the plan. It must be attached to be a layer, so it lies where the first overlay is
/// about to cover it.
Outcome layers(Context& context, int destination_fd) {
  if (context.layers_fd >= 0) return {};
  char* const options[] = {const_cast<char*>("mode=0700"), nullptr};
  Outcome mount = create_mount("tmpfs", "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (!mount) return mount;
  ScopedFd fd(mount.value);
  if (Outcome r = attach(fd.get(), destination_fd); !r) return r;
  context.layers_fd = fd.release();
  return {};
}

Outcome make_layer(const Context& context, const char* prefix, int64_t mode) {
  Numbered name(prefix, context.layer_count);
  if (Outcome r = attempt(SYS_mkdirat, context.layers_fd, name.text(), mode); !r) return r;
  // The umask does not apply.
  if (Outcome r = attempt(SYS_fchmodat, context.layers_fd, name.text(), mode); !r) return r;
  return attempt(SYS_openat, context.layers_fd, name.text(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// A detached overlay. userxattr: whoever made a user namespace may write no other attributes, overlayfs's own
/// included.
Outcome create_overlay(int lower_fd, int upper_fd, int work_fd, int64_t attributes) {
  Outcome filesystem = attempt(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
  if (!filesystem) return filesystem;
  ScopedFd fd(filesystem.value);
  if (Outcome r = attempt(SYS_fsconfig, fd.get(), FSCONFIG_SET_STRING, "source", "overlay", 0); !r) return r;
  if (Outcome r = set_layer(fd.get(), "lowerdir", lower_fd); !r) return r;
  if (Outcome r = set_layer(fd.get(), "upperdir", upper_fd); !r) return r;
  if (Outcome r = set_layer(fd.get(), "workdir", work_fd); !r) return r;
  if (Outcome r = attempt(SYS_fsconfig, fd.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr, 0); !r) return r;
  if (Outcome r = attempt(SYS_fsconfig, fd.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0); !r) return r;
  return attempt(SYS_fsmount, fd.get(), FSMOUNT_CLOEXEC, attributes);
}

}  // namespace

Outcome step_mount_copy(const Step& step, Context& context) {
  Outcome lower = open_source(context, step.text(0), step.number(2));
  if (!lower) return lower;
  ScopedFd lower_fd(lower.value);
  // The root of an overlay has the owner and the permissions of its upper layer.
  struct statx status;
  if (Outcome r = attempt(SYS_statx, lower_fd.get(), "", kEmptyPath, STATX_TYPE | STATX_MODE, &status); !r) return r;
  if ((status.stx_mode & S_IFMT) != S_IFDIR) return failure(SYS_statx, ENOTDIR);
  Outcome destination = open_destination(context, step.text(1), Kind::directory);
  if (!destination) return destination;
  ScopedFd destination_fd(destination.value);
  if (Outcome r = layers(context, destination_fd.get()); !r) return r;
  Outcome upper = make_layer(context, "upper", status.stx_mode & kPermissions);
  if (!upper) return upper;
  ScopedFd upper_fd(upper.value);
  Outcome work = make_layer(context, "work", 0700);
  if (!work) return work;
  ScopedFd work_fd(work.value);
  context.layer_count++;
  Outcome overlay = create_overlay(lower_fd.get(), upper_fd.get(), work_fd.get(), step.number(3));
  if (!overlay) return overlay;
  ScopedFd overlay_fd(overlay.value);
  return attach(overlay_fd.get(), destination_fd.get());
}

}  // namespace plan

// mount(2) with MS_REMOUNT | MS_BIND changes one mount at a time, and only an attached one. So the tree's mounts are
// looked up in /proc/self/mountinfo, each is opened by walking down to it from the tree's root, and the fd's mount
// number is compared before anything is changed: a directory that is renamed on the host meanwhile leads to a failure
// and not to another mount.
//
// A mount may be out of reach. Where another mount lies over it or over the way to it, nobody inside gets there either,
// and it stays as it is. Where the way leads through a directory that we may not search, as /var/lib/docker for an
// ordinary user, that directory is covered: whoever may search it later (other groups, a chmod outside) does not find a
// mount there that lacks the attributes.

#include "remount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/statfs.h>

#include "attempt.h"
#include "mount_table.h"

namespace plan {

namespace {

constexpr size_t kMaxMounts = 4096;
constexpr size_t kMaxNesting = 64;
/// Two are enough, and three where a directory is covered. The others are for changes from outside meanwhile.
constexpr int kPasses = 16;
constexpr int64_t kNoSymFollow = 0x00200000;   // MOUNT_ATTR_NOSYMFOLLOW
constexpr unsigned long kMsNoSymFollow = 256;  // MS_NOSYMFOLLOW
constexpr int64_t kSameBits = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
static_assert(kSameBits == (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));

/// "fd/" and 12 become "fd/12".
void append_number(char* text, int number) {
  char digits[12];
  int n = 0;
  do digits[n++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) > 0);
  text += length(text);
  while (n > 0) *text++ = digits[--n];
  *text = 0;
}

/// /proc may be another thing inside: what a command shall not do is not decided by a file of its own.
Outcome check_procfs() {
  Outcome r = attempt(SYS_openat, AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (!r) return r;
  ScopedFd fd(r.value);
  struct statfs status;
  if (Outcome s = attempt(SYS_fstatfs, fd.get(), &status); !s) return s;
  return status.f_type == PROC_SUPER_MAGIC ? Outcome{} : failure(SYS_openat, ENOENT);
}

/// What the mount has must be asked for again, or it is taken away, which a user namespace does not allow (EPERM).
/// Access times alone are kept when nothing is said about them (path_mount in fs/namespace.c).
Outcome remount(int mount_fd, int64_t has, int64_t asked) {
  unsigned long flags = MS_REMOUNT | MS_BIND;
  flags |= static_cast<unsigned long>((has | asked) & kSameBits);
  if (((has | asked) & kNoSymFollow) != 0) flags |= kMsNoSymFollow;
  if ((asked & MOUNT_ATTR_NOATIME) != 0) {
    flags |= MS_NOATIME | ((has & MOUNT_ATTR_NODIRATIME) != 0 ? MS_NODIRATIME : 0);
  }
  char path[32] = "/proc/self/fd/";
  append_number(path, mount_fd);
  return attempt(SYS_mount, nullptr, path, nullptr, flags, nullptr);
}

/// The mounts of the tree that are known so far.
class Members {
 public:
  explicit Members(int root_id) { all_[0] = {root_id, 0, 0}; }

  /// Adds the mount when it is below one of the tree. Value 0: it is not of the tree, otherwise 1.
  Outcome join(const MountEntry& entry);

  bool has_root() const { return has_root_; }
  /// The mounts on the way to one, from the root to itself; 0 when they are too many.
  size_t way_to(int id, uint16_t (&way)[kMaxNesting]) const;
  int id(size_t index) const { return all_[index].id; }
  /// Length of its path.
  size_t size(size_t index) const { return all_[index].size; }
  /// Whether this mount is of the tree and at a path of this length.
  bool is_at(int id, size_t size) const {
    size_t index = find(id);
    return index < count_ && all_[index].size == size;
  }

 private:
  struct Member {
    int id;
    uint16_t parent;
    uint16_t size;
  };

  /// A parent mostly stands shortly before.
  size_t find(int id) const {
    for (size_t i = count_; i > 0; i--) {
      if (all_[i - 1].id == id) return i - 1;
    }
    return kMaxMounts;
  }

  Member all_[kMaxMounts];
  size_t count_ = 1;
  bool has_root_ = false;
};

Outcome Members::join(const MountEntry& entry) {
  Outcome is_member;
  is_member.value = 1;
  size_t index = find(entry.id);
  size_t parent = index == kMaxMounts ? find(entry.parent) : 0;
  if (parent == kMaxMounts) return {};
  if (entry.too_long) return failure(SYS_openat, ENAMETOOLONG);
  if (index == 0) {
    has_root_ = true;
  } else if (index == kMaxMounts) {
    if (count_ == kMaxMounts) return failure(SYS_mount, E2BIG);
    index = count_++;
    all_[index] = {entry.id, static_cast<uint16_t>(parent), 0};
  }
  all_[index].size = static_cast<uint16_t>(entry.size);  // somebody may have renamed a directory since the last pass
  return is_member;
}

size_t Members::way_to(int id, uint16_t (&way)[kMaxNesting]) const {
  size_t depth = 1;
  for (size_t i = find(id); i != 0; i = all_[i].parent) depth++;
  if (depth > kMaxNesting) return 0;
  size_t at = find(id);
  for (size_t i = depth; i > 0; i--) {
    way[i - 1] = static_cast<uint16_t>(at);
    at = all_[at].parent;
  }
  return depth;
}

enum class Reach { reached, hidden, covered, unclear };

bool was_renamed(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/// Walks down to a mount of the tree.
class Walk {
 public:
  Walk(Context& context, const Members& members, int tree_fd)
      : context_(context), members_(members), tree_fd_(tree_fd) {}
  ~Walk() { move_to(-1); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  Outcome run(MountEntry& entry, Reach* reach);
  /// Where it ended.
  int fd() const { return at_ >= 0 ? at_ : tree_fd_; }

 private:
  void move_to(int fd) {
    if (at_ >= 0) sys::call(SYS_close, at_);
    at_ = fd;
  }
  Reach after(int id, size_t size, size_t* passed, size_t depth) const;

  Context& context_;
  const Members& members_;
  int tree_fd_;
  int at_ = -1;
  uint16_t way_[kMaxNesting];
};

/// Compares where a component led with where it should: to a mount on the way where there is one at this place, else
/// still to the one before. Another mount of the tree at this very place hides what is below.
Reach Walk::after(int id, size_t size, size_t* passed, size_t depth) const {
  while (*passed + 1 < depth && members_.size(way_[*passed + 1]) == size) ++*passed;
  if (id == members_.id(way_[*passed])) return Reach::reached;
  for (size_t i = 0; i < depth; i++) {
    if (id == members_.id(way_[i])) return Reach::unclear;
  }
  return members_.is_at(id, size) ? Reach::hidden : Reach::unclear;
}

Outcome Walk::run(MountEntry& entry, Reach* reach) {
  *reach = Reach::unclear;
  size_t depth = members_.way_to(entry.id, way_);
  if (depth == 0) return failure(SYS_mount, E2BIG);
  size_t passed = 0;
  size_t begin = members_.size(0);
  while (begin < entry.size) {
    size_t end = begin + 1;
    while (end < entry.size && entry.path[end] != '/') end++;
    char slash = entry.path[end];
    entry.path[end] = 0;
    Outcome next = attempt(SYS_openat, fd(), entry.path + begin + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    entry.path[end] = slash;
    if (next.error == EACCES && at_ >= 0) {
      *reach = Reach::covered;
      return cover_directory(context_, at_);
    }
    if (!next) {
      *reach = Reach::unclear;
      return was_renamed(next.error) ? Outcome{} : next;
    }
    move_to(static_cast<int>(next.value));
    Outcome id = mount_id(at_);
    if (!id) return id;
    *reach = after(static_cast<int>(id.value), end, &passed, depth);
    if (*reach != Reach::reached) return {};
    begin = end;
  }
  if (passed + 1 != depth) *reach = Reach::unclear;
  return {};
}

/// One mount of the tree. `left` becomes the error in case it never gets better, or stays.
Outcome settle(Context& context, const Members& members, int tree_fd, MountEntry& entry, int64_t asked, int* left) {
  if ((entry.attributes & asked) == asked) return {};
  Walk walk(context, members, tree_fd);
  Reach reach = Reach::reached;
  if (entry.id != members.id(0)) {
    if (Outcome r = walk.run(entry, &reach); !r) return r;
  }
  if (reach == Reach::hidden) return {};
  if (reach != Reach::reached) {
    *left = ESTALE;
    return {};
  }
  *left = EINVAL;  // as mount_setattr(2) says of an attribute that the kernel does not know: mount(2) passes over it
  return remount(walk.fd(), entry.attributes, asked);
}

/// Goes through the table once; `left` becomes 0 when every mount was found to have what was asked.
Outcome pass(Context& context, Members& members, int tree_fd, Attributes attributes, int* left) {
  Outcome file = attempt(SYS_openat, AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  if (!file) return file;
  MountTable table(file.value);
  *left = 0;
  for (;;) {
    MountEntry entry;
    Outcome r = table.next(&entry);
    if (!r) return r;
    if (r.value == 0) return members.has_root() ? Outcome{} : failure(SYS_mount, ENOENT);
    if (!attributes.recursive && entry.id != members.id(0)) continue;
    r = members.join(entry);
    if (!r) return r;
    if (r.value == 0) continue;
    r = settle(context, members, tree_fd, entry, attributes.set, left);
    if (!r) return r;
  }
}

Outcome remount_all(Context& context, int tree_fd, Attributes attributes) {
  if (Outcome r = check_procfs(); !r) return r;
  Outcome id = mount_id(tree_fd);
  if (!id) return id;
  Members members(static_cast<int>(id.value));
  int left = 0;
  for (int i = 0; i < kPasses; i++) {
    if (Outcome r = pass(context, members, tree_fd, attributes, &left); !r) return r;
    if (left == 0) return {};
  }
  return failure(SYS_mount, left);
}

}  // namespace

Outcome remount_tree(Context& context, int tree_fd, Attributes attributes) {
  return remount_all(context, tree_fd, attributes).at(kOlderWay);
}

// fdinfo and not statx(2), which tells it only since Linux 5.8.
Outcome mount_id(int fd) {
  char path[40] = "/proc/self/fdinfo/";
  append_number(path, fd);
  Outcome file = attempt(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (!file) return file;
  ScopedFd info(file.value);
  char text[512];
  Outcome r = attempt(SYS_read, info.get(), text, sizeof text - 1);
  if (!r) return r;
  text[r.value] = 0;
  const char key[] = "mnt_id:\t";
  size_t matched = 0;
  for (const char* c = text; *c != 0; c++) {
    matched = *c == key[matched] ? matched + 1 : 0;
    if (matched + 1 < sizeof key) continue;
    Outcome id;
    while (*++c >= '0' && *c <= '9') id.value = id.value * 10 + (*c - '0');
    return id;
  }
  return failure(SYS_read, EINVAL);
}

}  // namespace plan

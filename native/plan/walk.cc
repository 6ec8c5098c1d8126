// The walk below a root never asks the kernel for "..": it goes back to the directory that it came from, which it holds
// open. So a directory that somebody moves out of the root meanwhile leads nowhere new, where the kernel's ".." would
// climb out through its new parent (CVE-2018-15664; in a bind mount it would be ENOENT, path_connected in fs/namei.c).
// A symbolic link is read through an fd of the link itself, and its text is put in front of what is left of the path.

#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "attempt.h"

namespace plan {

namespace {

constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH
constexpr size_t kPathMax = 4096;
constexpr size_t kNameMax = 256;
constexpr size_t kMaxDepth = 256;
constexpr int kMaxLinks = 40;          // the kernel's MAXSYMLINKS
constexpr long kNoSymFollow = 0x2000;  // ST_NOSYMFOLLOW
constexpr uint32_t kStickyForAll = S_ISVTX | S_IWOTH;
constexpr uint32_t kOverflowUid = 65534;

/// The directories between the root and where the walk is. The root's own fd is the caller's.
class Trail {
 public:
  explicit Trail(int root_fd) : root_(root_fd) {}
  ~Trail() { restart(); }
  Trail(const Trail&) = delete;
  Trail& operator=(const Trail&) = delete;

  int top() const { return depth_ == 0 ? root_ : fds_[depth_ - 1]; }
  bool is_full() const { return depth_ == kMaxDepth; }
  void enter(int fd) { fds_[depth_++] = fd; }
  /// One up; at the root it stays there, as "/.." does.
  void leave() {
    if (depth_ > 0) sys::call(SYS_close, fds_[--depth_]);
  }
  void restart() {
    while (depth_ > 0) leave();
  }
  /// Where the walk is, as an fd of the caller's own.
  Outcome take() {
    if (depth_ == 0) return attempt(SYS_fcntl, root_, F_DUPFD_CLOEXEC, 0);
    Outcome fd;
    fd.value = fds_[--depth_];
    return fd;
  }

 private:
  int root_;
  int fds_[kMaxDepth];
  size_t depth_ = 0;
};

/// What is left of a path, at the end of its buffer, so that the text of a link fits in before it.
class Rest {
 public:
  /// False when there is no room.
  bool prepend(const char* text, size_t size) {
    if (size > begin_) return false;
    begin_ -= size;
    for (size_t i = 0; i < size; i++) buffer_[begin_ + i] = text[i];
    return true;
  }
  bool is_empty() const { return begin_ == kEnd; }
  bool is_slash() const { return !is_empty() && buffer_[begin_] == '/'; }
  void skip_slashes() {
    while (is_slash()) begin_++;
  }
  /// Whether the component taken last was the last one.
  bool is_over() const {
    size_t i = begin_;
    while (i < kEnd && buffer_[i] == '/') i++;
    return i == kEnd;
  }
  /// Takes the next component; false when it is too long for one.
  bool next(char (&name)[kNameMax]) {
    size_t n = 0;
    while (!is_empty() && !is_slash()) {
      if (n + 1 == kNameMax) return false;
      name[n++] = buffer_[begin_++];
    }
    name[n] = 0;
    return true;
  }

 private:
  static constexpr size_t kEnd = 2 * kPathMax;
  char buffer_[kEnd];
  size_t begin_ = kEnd;
};

bool is_dot(const char* name) {
  return name[0] == '.' && name[1] == 0;
}

bool is_dot_dot(const char* name) {
  return name[0] == '.' && name[1] == '.' && name[2] == 0;
}

uint32_t type_of(const struct statx& status) {
  return status.stx_mode & S_IFMT;
}

/// Opens one name, a link as the link that it is.
Outcome open_name(int directory_fd, const char* name, bool directory, uint32_t* type) {
  // O_DIRECTORY spares a statx, and has an automount point mounted, as a lookup that goes on below it does.
  int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  if (directory) {
    Outcome r = attempt(SYS_openat, directory_fd, name, flags | O_DIRECTORY);
    *type = S_IFDIR;
    if (r || r.error != ENOTDIR) return r;
  }
  Outcome r = attempt(SYS_openat, directory_fd, name, flags);
  if (!r) return r;
  ScopedFd fd(r.value);
  struct statx status;
  if (Outcome s = attempt(SYS_statx, fd.get(), "", kEmptyPath, STATX_TYPE, &status); !s) return s;
  *type = type_of(status);
  if (directory && *type != S_IFDIR && *type != S_IFLNK) return failure(SYS_openat, ENOTDIR);
  fd.release();
  return r;
}

/// The links of procfs that lead to an object and not to a path show "/the/path" or "pipe:[1234]"; its plain ones
/// ("self", "mounts") show neither.
bool is_magic(const char* text, size_t size) {
  if (text[0] == '/') return true;
  for (size_t i = 0; i < size; i++) {
    if (text[i] == ':') return true;
  }
  return false;
}

/// As fs.protected_symlinks has it (proc_sys_fs(5)): in a directory where everybody may make links, only one's own and
/// those of the directory's owner are followed. Two users that are not mapped in this user namespace look the same, and
/// are not taken for the same.
Outcome check_owner(int directory_fd, int link_fd) {
  struct statx directory;
  struct statx link;
  if (Outcome r = attempt(SYS_statx, directory_fd, "", kEmptyPath, STATX_BASIC_STATS, &directory); !r) return r;
  if ((directory.stx_mode & kStickyForAll) != kStickyForAll) return {};
  if (Outcome r = attempt(SYS_statx, link_fd, "", kEmptyPath, STATX_BASIC_STATS, &link); !r) return r;
  if (link.stx_uid == static_cast<uint32_t>(sys::call(SYS_geteuid))) return {};
  if (link.stx_uid == directory.stx_uid && link.stx_uid != kOverflowUid) return {};
  return failure(SYS_readlinkat, EACCES);
}

/// The text of a link that may be followed.
Outcome read_link(int link_fd, char (&text)[kPathMax]) {
  struct statfs filesystem;
  if (Outcome r = attempt(SYS_fstatfs, link_fd, &filesystem); !r) return r;
  if ((filesystem.f_flags & kNoSymFollow) != 0) return failure(SYS_readlinkat, ELOOP);
  Outcome r = attempt(SYS_readlinkat, link_fd, "", text, kPathMax);
  if (!r) return r;
  size_t size = static_cast<size_t>(r.value);
  if (size == 0) return failure(SYS_readlinkat, ENOENT);
  if (size == kPathMax) return failure(SYS_readlinkat, ENAMETOOLONG);
  if (filesystem.f_type == PROC_SUPER_MAGIC && is_magic(text, size)) return failure(SYS_readlinkat, ELOOP);
  return r;
}

/// Goes on where a link says.
Outcome follow(int link_fd, Trail& trail, Rest& rest) {
  char text[kPathMax];
  Outcome r = read_link(link_fd, text);
  if (!r) return r;
  if (!rest.prepend(text, static_cast<size_t>(r.value))) return failure(SYS_readlinkat, ENAMETOOLONG);
  if (text[0] == '/') trail.restart();
  return {};
}

}  // namespace

Outcome walk_in_root(int root_fd, const char* path, bool directory) {
  size_t size = length(path);
  if (size == 0) return failure(SYS_openat, ENOENT);
  if (size >= kPathMax) return failure(SYS_openat, ENAMETOOLONG);
  Trail trail(root_fd);
  Rest rest;
  rest.prepend(path, size);
  int links = 0;
  for (;;) {
    rest.skip_slashes();
    if (rest.is_empty()) return trail.take();
    char name[kNameMax];
    if (!rest.next(name)) return failure(SYS_openat, ENAMETOOLONG);
    if (is_dot(name)) continue;
    if (is_dot_dot(name)) {
      trail.leave();
      continue;
    }
    uint32_t type = 0;
    Outcome next = open_name(trail.top(), name, directory || rest.is_slash(), &type);
    if (!next) return next;
    if (type == S_IFDIR) {
      if (trail.is_full()) {
        sys::call(SYS_close, next.value);
        return failure(SYS_openat, ENAMETOOLONG);
      }
      trail.enter(static_cast<int>(next.value));
      continue;
    }
    if (type != S_IFLNK) return next;  // the last one: nothing but a directory has a slash behind it
    ScopedFd link(next.value);
    if (++links > kMaxLinks) return failure(SYS_readlinkat, ELOOP);
    if (rest.is_over()) {
      if (Outcome r = check_owner(trail.top(), link.get()); !r) return r;
    }
    if (Outcome r = follow(link.get(), trail, rest); !r) return r;
  }
}

Outcome walk_without_links(const char* path) {
  size_t size = length(path);
  if (size == 0) return failure(SYS_openat, ENOENT);
  if (size >= kPathMax) return failure(SYS_openat, ENAMETOOLONG);
  Outcome at = attempt(SYS_openat, AT_FDCWD, path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (!at) return at;
  Rest rest;
  rest.prepend(path, size);
  for (;;) {
    rest.skip_slashes();
    if (rest.is_empty()) return at;
    ScopedFd directory(at.value);
    char name[kNameMax];
    if (!rest.next(name)) return failure(SYS_openat, ENAMETOOLONG);
    uint32_t type = 0;
    at = open_name(directory.get(), name, rest.is_slash(), &type);
    if (!at) return at;
    if (type == S_IFLNK) {
      sys::call(SYS_close, at.value);
      return failure(SYS_openat, ELOOP);
    }
  }
}

}  // namespace plan

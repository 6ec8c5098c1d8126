// Namespaces and mounts: take off what covers the host's files, write where it is read-only, step into another
// namespace. What needs rights over mounts is tried as it stands, and once more in a user namespace of its own, which
// gives them.

#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <optional>

#include "attempt.h"

namespace {

/** In a user and mount namespace of its own, as its root. */
std::optional<Refusal> enter_own_namespace() {
  const std::string user = std::to_string(getuid());
  const std::string group = std::to_string(getgid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return Refusal("unshare");
  append("/proc/self/setgroups", "deny");
  if (!append("/proc/self/uid_map", "0 " + user + " 1")) return Refusal("uid_map");
  if (!append("/proc/self/gid_map", "0 " + group + " 1")) return Refusal("gid_map");
  return std::nullopt;
}

/** Tries as it stands and then nested. The attempt ends the process where it succeeds. */
template <typename Way>
void both_ways(Way way) {
  way();
  if (auto no = enter_own_namespace()) no->tell();
  way().tell();
}

/** Ends the process once the file is there to be read. */
void print_if_seen(const std::string& file) {
  if (print_file(file)) _exit(0);
}

void unmask(const Arguments& a) {
  both_ways([&] {
    Refusal last("umount2");
    for (const std::string& point : mount_points_around(a[0])) {
      if (point == "/") continue;
      if (umount2(point.c_str(), MNT_DETACH) < 0) last = Refusal("umount2");
      print_if_seen(a[0]);
    }
    return last;
  });
}

/** The folders around a path, outermost first; "" is the root. */
std::vector<std::string> folders_around(const std::string& path) {
  std::vector<std::string> found;
  for (size_t at = 0; (at = path.find('/', at)) != std::string::npos; at++) found.push_back(path.substr(0, at));
  return found;
}

const char* or_root(const std::string& folder) {
  return folder.empty() ? "/" : folder.c_str();
}

/** A folder once more, without what is mounted in it. */
void bind_beneath(const Arguments& a) {
  both_ways([&] {
    Refusal last("mount");
    for (const std::string& folder : folders_around(a[0])) {
      if (mount(or_root(folder), a[1].c_str(), nullptr, MS_BIND, nullptr) < 0) {
        last = Refusal("mount");
        continue;
      }
      print_if_seen(a[1] + a[0].substr(folder.size()));
      last = Refusal("open");
      umount2(a[1].c_str(), MNT_DETACH);
    }
    return last;
  });
}

/** The same by way of overlayfs, which takes the file system and not what covers it. */
void overlay_beneath(const Arguments& a) {
  both_ways([&] {
    Refusal last("mount");
    for (const std::string& folder : folders_around(a[0])) {
      const std::string options = std::string("lowerdir=") + or_root(folder) + ":" + a[2];
      if (mount("overlay", a[1].c_str(), "overlay", 0, options.c_str()) < 0) {
        last = Refusal("mount");
        continue;
      }
      print_if_seen(a[1] + a[0].substr(folder.size()));
      last = Refusal("open");
      umount2(a[1].c_str(), MNT_DETACH);
    }
    return last;
  });
}

/** The same without a place to mount it. */
void clone_beneath(const Arguments& a) {
  both_ways([&] {
    Refusal last("open_tree");
    for (const std::string& folder : folders_around(a[0])) {
      auto tree = static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, or_root(folder), OPEN_TREE_CLONE));
      if (tree < 0) {
        last = Refusal("open_tree");
        continue;
      }
      int file = openat(tree, a[0].c_str() + folder.size() + 1, O_RDONLY | O_CLOEXEC);
      if (file >= 0 && print_all(file)) _exit(0);
      last = Refusal("openat");
    }
    return last;
  });
}

void move_mask(const Arguments& a) {
  both_ways([&] {
    Refusal last("mount");
    for (const std::string& point : mount_points_around(a[0])) {
      if (point == "/") continue;
      if (mount(point.c_str(), a[1].c_str(), nullptr, MS_MOVE, nullptr) < 0) last = Refusal("mount");
      if (syscall(SYS_move_mount, AT_FDCWD, point.c_str(), AT_FDCWD, a[1].c_str(), 0) < 0) last = Refusal("move_mount");
      print_if_seen(a[0]);
    }
    return last;
  });
}

/** The device of the root file system, mounted again. */
void mount_disk(const Arguments& a) {
  both_ways([&] {
    if (mount(a[1].c_str(), a[2].c_str(), a[3].c_str(), 0, nullptr) < 0) return Refusal("mount");
    print_if_seen(a[2] + a[0]);
    return Refusal("open");
  });
}

void remount_writable(const Arguments& a) {
  both_ways([&] {
    Refusal last("mount");
    for (const std::string& point : mount_points_around(a[0])) {
      for (unsigned long kept : {0, MS_NOSUID | MS_NODEV, MS_NOSUID | MS_NODEV | MS_RELATIME}) {
        if (mount(nullptr, point.c_str(), nullptr, MS_REMOUNT | MS_BIND | kept, nullptr) < 0) last = Refusal("mount");
      }
      if (append(a[0], a[1])) _exit(0);
    }
    return last;
  });
}

void set_writable(const Arguments& a) {
  both_ways([&] {
    Refusal last("mount_setattr");
    for (const std::string& point : mount_points_around(a[0])) {
      mount_attr change{};
      change.attr_clr = MOUNT_ATTR_RDONLY;
      if (syscall(SYS_mount_setattr, AT_FDCWD, point.c_str(), AT_RECURSIVE, &change, sizeof change) < 0) {
        last = Refusal("mount_setattr");
      }
      if (append(a[0], a[1])) _exit(0);
    }
    return last;
  });
}

/** Takes off what guards a path in the workspace, and writes there. */
void unguard(const Arguments& a) {
  both_ways([&] {
    Refusal last("umount2");
    for (const std::string& point : mount_points_around(a[0])) {
      if (point == "/") continue;
      if (umount2(point.c_str(), MNT_DETACH) < 0) last = Refusal("umount2");
      if (append(a[0], a[1])) _exit(0);
    }
    return last;
  });
}

void new_mount_api(const Arguments& a) {
  both_ways([&] {
    auto context = static_cast<int>(syscall(SYS_fsopen, "tmpfs", 0));
    if (context < 0) return Refusal("fsopen");
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return Refusal("fsconfig");
    if (syscall(SYS_fsmount, context, 0, 0) < 0) return Refusal("fsmount");
    proved(a[0]);
  });
}

/** A view of the host's cgroups of its own, to make one in. */
void mount_cgroups(const Arguments& a) {
  both_ways([&] {
    unshare(CLONE_NEWCGROUP);
    if (mount("cgroup2", a[0].c_str(), "cgroup2", 0, nullptr) < 0) return Refusal("mount");
    if (mkdir((a[0] + "/" + a[1]).c_str(), 0755) < 0) return Refusal("mkdir");
    _exit(0);
  });
}

void fuse(const Arguments& a) {
  if (open("/dev/fuse", O_RDWR | O_CLOEXEC) < 0) refused("open");
  proved(a[0]);
}

void unshare_user(const Arguments& a) {
  if (unshare(CLONE_NEWUSER) < 0) refused("unshare");
  proved(a[0]);
}

/** clone(2) itself, as libc's would take another way. */
void clone_user(const Arguments& a) {
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) refused("clone");
  if (pid == 0) _exit(0);
  proved(a[0]);
}

/** Its flags are in memory, where no filter of system calls can look. */
void clone3_user(const Arguments& a) {
  uint64_t words[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0};
  long pid = syscall(SYS_clone3, words, sizeof words);
  if (pid < 0) refused("clone3");
  if (pid == 0) _exit(0);
  proved(a[0]);
}

/** Into the mount namespace of any other process, then to the file. */
void join_processes(const Arguments& a) {
  const std::string own = "/proc/self/ns/mnt";
  struct stat ours;
  if (stat(own.c_str(), &ours) < 0) refused("stat");
  Refusal last("open");
  for (const std::string& pid : other_processes()) {
    int fd = open(("/proc/" + pid + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      last = Refusal("open");
    } else if (setns(fd, CLONE_NEWNS) < 0) {
      last = Refusal("setns");
    } else {
      print_if_seen(a[0]);
      last = Refusal("open");
    }
    if (fd >= 0) close(fd);
  }
  last.tell();
}

/** Into a namespace that a file descriptor was left open on. */
void join_inherited(const Arguments& a) {
  Refusal last("setns");
  for (int fd = 3; fd < 1024; fd++) {
    if (setns(fd, 0) < 0) {
      if (errno != EBADF || last.error == 0) last = Refusal("setns");
    } else {
      print_if_seen(a[0]);
    }
  }
  last.tell();
}

}  // namespace

const std::vector<Attempt> namespace_attempts = {
    {"unmask", 1, unmask},
    {"bind-beneath", 2, bind_beneath},
    {"overlay-beneath", 3, overlay_beneath},
    {"clone-beneath", 1, clone_beneath},
    {"move-mask", 2, move_mask},
    {"mount-disk", 4, mount_disk},
    {"remount-writable", 2, remount_writable},
    {"set-writable", 2, set_writable},
    {"unguard", 2, unguard},
    {"new-mount-api", 1, new_mount_api},
    {"mount-cgroups", 2, mount_cgroups},
    {"fuse", 1, fuse},
    {"unshare-user", 1, unshare_user},
    {"clone-user", 1, clone_user},
    {"clone3-user", 1, clone3_user},
    {"join-processes", 1, join_processes},
    {"join-inherited", 1, join_inherited},
};

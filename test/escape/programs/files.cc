// Files: read what is hidden, write what is read-only, by every path that leads there without a new mount.

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "attempt.h"

namespace {

void read_file(const Arguments& a) {
  if (!print_file(a[0])) refused("open");
}

/** For what must not leave the machine even when it can be read: the proof instead of the content. */
void read_something(const Arguments& a) {
  int fd = open(a[0].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) refused("open");
  char buffer[512];
  if (read(fd, buffer, sizeof buffer) <= 0) refused("read");
  proved(a[1]);
}

/** /proc/PID/root or /proc/PID/cwd of every process, as a way to a file. */
void through_processes(const Arguments& a) {
  for (const std::string& pid : other_processes()) {
    if (print_file("/proc/" + pid + "/" + a[0] + "/" + a[1])) return;
  }
  refused("open");
}

/** The open files of every process, by /proc/PID/fd: whatever is small. */
void through_open_files(const Arguments&) {
  bool some = false;
  for (const std::string& pid : other_processes()) {
    for (int fd = 0; fd < 64; fd++) {
      const std::string link = "/proc/" + pid + "/fd/" + std::to_string(fd);
      struct stat what;
      if (stat(link.c_str(), &what) < 0) continue;
      if (S_ISREG(what.st_mode) && what.st_size < 256 && print_file(link)) some = true;
    }
  }
  if (!some) refused("open");
}

/** What this process itself was handed: files, folders, sockets and pipes beyond the three standard streams. */
void inherited(const Arguments& a) {
  int found = 0;
  for (int fd = 3; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) continue;
    found++;
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    lseek(fd, 0, SEEK_SET);
    print_all(fd);
    int file = openat(fd, a[0].c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) print_all(file);
  }
  if (found == 0) refused("fcntl", EBADF);
}

void append_to(const Arguments& a) {
  if (!append(a[0], a[1])) refused("open");
}

/** Another name, in a folder that can be written, for a file that can't be. */
void hard_link(const Arguments& a) {
  if (link(a[0].c_str(), a[1].c_str()) < 0 && linkat(AT_FDCWD, a[0].c_str(), AT_FDCWD, a[1].c_str(), 0) < 0) {
    refused("link");
  }
  if (!append(a[1], a[2])) refused("open");
}

void hard_link_read(const Arguments& a) {
  if (link(a[0].c_str(), a[1].c_str()) < 0) refused("link");
  if (!print_file(a[1])) refused("open");
}

void symbolic_link(const Arguments& a) {
  // Refused in a folder that is read-only: then the one that was there before is followed.
  if (symlink(a[0].c_str(), a[1].c_str()) < 0 && errno != EEXIST && errno != EROFS) refused("symlink");
  if (!print_file(a[1])) refused("open");
}

/** Moves a folder out of the way and puts a file of its own where it stood. */
void replace_folder(const Arguments& a) {
  const std::string& folder = a[0];
  if (rename(folder.c_str(), (folder + ".away").c_str()) < 0) refused("rename");
  mkdir(folder.c_str(), 0755);
  for (size_t at = folder.size() + 1; at < a[1].size(); at++) {
    if (a[1][at] == '/') mkdir(a[1].substr(0, at).c_str(), 0755);
  }
  if (!append(a[1], a[2])) refused("open");
}

/** The same with a link in its place, that leads to a folder of its own. */
void exchange_folder(const Arguments& a) {
  const std::string own = a[0] + ".own";
  if (mkdir(own.c_str(), 0755) < 0) refused("mkdir");
  if (!append(own + a[1], a[2])) refused("open");
  if (syscall(SYS_renameat2, AT_FDCWD, own.c_str(), AT_FDCWD, a[0].c_str(), 2 /* RENAME_EXCHANGE */) < 0) {
    refused("renameat2");
  }
}

/** Opens for reading, and once more for writing through the file descriptor's own link. */
void reopen(const Arguments& a) {
  int fd = open(a[0].c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) refused("open");
  if (!append("/proc/self/fd/" + std::to_string(fd), a[1])) refused("open");
}

void remove_file(const Arguments& a) {
  if (unlink(a[0].c_str()) < 0) refused("unlink");
}

void change_mode(const Arguments& a) {
  if (chmod(a[0].c_str(), 0777) < 0) refused("chmod");
}

/** For the suite itself: the handle that open_by_handle_at(2) takes, as a tool outside would have found it. */
void handle_of(const Arguments& a) {
  alignas(file_handle) char place[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(place);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (name_to_handle_at(AT_FDCWD, a[0].c_str(), handle, &mount, 0) < 0) refused("name_to_handle_at");
  printf("%d:", handle->handle_type);
  for (unsigned at = 0; at < handle->handle_bytes; at++) printf("%02x", handle->f_handle[at]);
  printf("\n");
}

/** By its inode, which needs no path to it: the way out of early Docker ("shocker.c"). */
void open_by_handle(const Arguments& a) {
  int mount = open(a[0].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) refused("open");
  alignas(file_handle) char place[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(place);
  size_t colon = a[1].find(':');
  handle->handle_type = number(a[1]);
  handle->handle_bytes = static_cast<unsigned>((a[1].size() - colon - 1) / 2);
  for (unsigned at = 0; at < handle->handle_bytes; at++) {
    handle->f_handle[at] = static_cast<unsigned char>(strtoul(a[1].substr(colon + 1 + 2 * at, 2).c_str(), nullptr, 16));
  }
  int fd = open_by_handle_at(mount, handle, O_RDONLY);
  if (fd < 0) refused("open_by_handle_at");
  if (!print_all(fd)) refused("read");
}

/** A device node of its own making: TYPE MAJOR MINOR PATH PROOF. */
void make_node(const Arguments& a) {
  mode_t type = a[0] == "b" ? S_IFBLK : S_IFCHR;
  unlink(a[3].c_str());
  if (mknod(a[3].c_str(), type | 0600,
            makedev(static_cast<unsigned>(number(a[1])), static_cast<unsigned>(number(a[2])))) < 0) {
    refused("mknod");
  }
  proved(a[4]);
}

/** Any of some device nodes. */
void open_any(const Arguments& a) {
  for (size_t from = 0; from < a[0].size();) {
    size_t colon = std::min(a[0].find(':', from), a[0].size());
    int fd = open(a[0].substr(from, colon - from).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) proved(a[1]);
    from = colon + 1;
  }
  refused("open");
}

void make_folder(const Arguments& a) {
  if (mkdir(a[0].c_str(), 0755) < 0) refused("mkdir");
}

/** For the suite's race: two names change places until this is told to stop, by the end of its input. */
void exchange(const Arguments& a) {
  fcntl(0, F_SETFL, O_NONBLOCK);
  char byte;
  do {
    for (int times = 0; times < 64; times++) {
      if (syscall(SYS_renameat2, AT_FDCWD, a[0].c_str(), AT_FDCWD, a[1].c_str(), 2 /* RENAME_EXCHANGE */) < 0) {
        refused("renameat2");
      }
      usleep(50);
    }
  } while (read(0, &byte, 1) < 0 && errno == EAGAIN);
}

}  // namespace

const std::vector<Attempt> file_attempts = {
    {"read", 1, read_file},
    {"read-something", 2, read_something},
    {"through-processes", 2, through_processes},
    {"through-open-files", 0, through_open_files},
    {"inherited", 1, inherited},
    {"append", 2, append_to},
    {"hard-link", 3, hard_link},
    {"hard-link-read", 2, hard_link_read},
    {"symbolic-link", 2, symbolic_link},
    {"replace-folder", 3, replace_folder},
    {"exchange-folder", 3, exchange_folder},
    {"reopen", 2, reopen},
    {"remove", 1, remove_file},
    {"change-mode", 1, change_mode},
    {"handle-of", 1, handle_of},
    {"open-by-handle", 2, open_by_handle},
    {"make-node", 5, make_node},
    {"open-any", 2, open_any},
    {"make-folder", 1, make_folder},
    {"exchange", 2, exchange},
};

#include "map_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <string>

#include "pipes.h"
#include "spawner.h"

namespace {

/// @return 0 or an errno
int write_text(const std::string& path, const std::string& text) {
  Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  return write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}

}  // namespace

MapWriter::~MapWriter() {
  if (thread_.joinable()) thread_.join();
}

// Inherits the spawner thread's blocked signals.
void MapWriter::start(Fd socket) {
  socket_ = std::move(socket);
  thread_ = std::thread([this] { work(); });
}

void MapWriter::work() {
  pid_t child = receive_sender(socket_.get());
  if (child == 0) return;  // it ended before it came to this step
  std::string directory = "/proc/" + std::to_string(child) + "/";
  int32_t answer[2] = {0, 0};
  if (!maps_.setgroups.empty()) answer[0] = write_text(directory + "setgroups", maps_.setgroups);
  if (answer[0] == 0) {
    answer[1] = 1;
    answer[0] = write_text(directory + "uid_map", maps_.uid_map);
  }
  if (answer[0] == 0) {
    answer[1] = 2;
    answer[0] = write_text(directory + "gid_map", maps_.gid_map);
  }
  // The child may be gone by now; then there is nobody to tell.
  (void)!write(socket_.get(), answer, sizeof answer);
}

#include "map_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <string>

#include "pipes.h"
#include "spawn.h"
#include "threads.h"

namespace {

plan::MapRecord write_text(int32_t index, const std::string& path, const std::string& text) {
  Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return {errno, index, SYS_openat};
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return {errno, index, SYS_write};
  return {0, index, 0};
}

}  // namespace

MapWriter::~MapWriter() {
  if (thread_.joinable()) thread_.join();
}

// Inherits the spawner thread's blocked signals.
void MapWriter::start(Fd socket) {
  socket_ = std::move(socket);
  if (int error = launch(thread_, [this] { work(); }); error != 0) {
    throw Failure{Stage::prepare, SYS_clone3, error};
  }
}

void MapWriter::work() {
  pid_t child = receive_sender(socket_.get());
  if (child == 0) return;  // it ended before it came to this step
  std::string directory = "/proc/" + std::to_string(child) + "/";
  plan::MapRecord record = {};
  if (!maps_.setgroups.empty()) record = write_text(0, directory + "setgroups", maps_.setgroups);
  if (record.error == 0) record = write_text(1, directory + "uid_map", maps_.uid_map);
  if (record.error == 0) record = write_text(2, directory + "gid_map", maps_.gid_map);
  // The child may be gone by now; then there is nobody to tell.
  (void)!write(socket_.get(), &record, sizeof record);
}

// Writes id maps that the child may not write itself (more than one id, or somebody else's). The spawner's thread
// sleeps in vfork meanwhile and would never get to it, so a thread of its own does (user_namespaces(7)).
#pragma once

#include <thread>

#include "fd.h"

struct IdMaps;

class MapWriter {
 public:
  explicit MapWriter(const IdMaps& maps) : maps_(maps) {}
  /// Waits for the thread, which ends when the child has its answer or is gone.
  ~MapWriter();
  /// @param socket our end of the child's Context::map_fd
  void start(Fd socket);

 private:
  void work();

  const IdMaps& maps_;
  Fd socket_;
  std::thread thread_;
};

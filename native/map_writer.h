// Writes id maps that the child may not write itself (more than one id, or somebody else's). The spawner's thread
// sleeps in vfork meanwhile and would never get to it, so a thread of its own does (user_namespaces(7)).
#pragma once

#include <sys/types.h>

#include <thread>

#include "fd.h"

struct IdMaps;

class MapWriter {
 public:
  /// @param pid where the kernel writes the child's pid at the clone
  MapWriter(const IdMaps& maps, const pid_t* pid) : maps_(maps), pid_(pid) {}
  /// Waits for the thread, which ends when the child has its answer or is gone.
  ~MapWriter();
  void start(Fd socket);

 private:
  void work();

  const IdMaps& maps_;
  const pid_t* pid_;
  Fd socket_;
  std::thread thread_;
};

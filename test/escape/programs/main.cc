// Chooses the attempt.

#include <dirent.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "attempt.h"

std::vector<std::string> other_processes() {
  std::vector<std::string> found;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) refused("opendir /proc");
  const std::string own = std::to_string(getpid());
  for (dirent* entry; (entry = readdir(folder)) != nullptr;) {
    std::string name = entry->d_name;
    if (name.find_first_not_of("0123456789") == std::string::npos && name != own) found.push_back(name);
  }
  closedir(folder);
  return found;
}

std::vector<std::string> mount_points_around(const std::string& path) {
  std::vector<std::string> found;
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    fields >> id >> parent >> device >> root >> point;
    bool around = point == "/" || path == point || path.rfind(point + "/", 0) == 0;
    if (around) found.push_back(point);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return found;
}

int main(int argc, char** argv) {
  std::string name = argc > 1 ? argv[1] : "";
  Arguments arguments;
  for (int at = 2; at < argc; at++) arguments.emplace_back(argv[at]);
  for (const auto* attempts : {&file_attempts, &socket_attempts, &process_attempts, &memory_attempts,
                               &namespace_attempts, &kernel_attempts, &ring_attempts, &survivor_attempts}) {
    for (const Attempt& attempt : *attempts) {
      if (name != attempt.name) continue;
      if (arguments.size() != attempt.arguments) {
        fprintf(stderr, "%s takes %zu arguments\n", attempt.name, attempt.arguments);
        return 120;
      }
      attempt.run(arguments);
      return 0;
    }
  }
  fprintf(stderr, "no attempt \"%s\"\n", name.c_str());
  return 120;
}

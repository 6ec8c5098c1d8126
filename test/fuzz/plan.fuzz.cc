// libFuzzer's target for the decoder of plans (native/plan/plan.h): what the child and PID 1 follow without another
// look must lie inside the plan, in order, and end where it says. AddressSanitizer watches each byte that is read.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "../../native/plan/plan.h"

namespace {

#define REQUIRE(condition)                                                  \
  do {                                                                      \
    if (condition) break;                                                   \
    fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    abort();                                                                \
  } while (false)

/// A copy of the input of exactly its size, so that one byte behind it is noticed.
struct Copy {
  Copy(const uint8_t* data, size_t length) : memory(static_cast<uint8_t*>(malloc(length)), free), size(length) {
    if (size > 0) memcpy(memory.get(), data, size);
    sound = plan::decode(memory.get(), size, &decoded);
  }

  std::unique_ptr<uint8_t, void (*)(void*)> memory;
  size_t size;
  plan::Plan decoded;
  bool sound = false;
};

/// Follows a plan as the child does.
class Walk {
 public:
  explicit Walk(const Copy& copy) : copy_(copy) {
    auto* steps = reinterpret_cast<const uint8_t*>(copy.decoded.steps);
    REQUIRE(steps == copy.memory.get() + sizeof(plan::Header));
    next_ = sizeof(plan::Header) + copy.decoded.step_count * sizeof(plan::Step);
    REQUIRE(next_ <= copy.size);
    for (uint32_t i = 0; i < copy.decoded.step_count; i++) follow(copy.decoded.steps[i]);
  }

  /// Where everything was found, in the order of the steps: the same for every copy of a plan.
  std::vector<uint64_t> places;

 private:
  /// Notes what lies at `pointer`, which must be behind all that was noted before.
  uint64_t place(const void* pointer, uint64_t size) {
    auto* first = static_cast<const uint8_t*>(pointer);
    REQUIRE(first >= copy_.memory.get() && first <= copy_.memory.get() + copy_.size);
    auto offset = static_cast<uint64_t>(first - copy_.memory.get());
    REQUIRE(offset >= next_ && size <= copy_.size - offset);
    next_ = offset + size;
    places.push_back(offset);
    places.push_back(size);
    return offset;
  }

  void text(const char* string) { place(string, strlen(string) + 1); }

  void follow(const plan::Step& step) {
    const char* kinds = plan::signature(static_cast<uint32_t>(step.op));
    REQUIRE(kinds != nullptr && strlen(kinds) <= plan::kMaxArguments);
    places.push_back(static_cast<uint64_t>(step.op));
    for (size_t i = 0; kinds[i] != 0; i++) {
      if (kinds[i] == 'i') {
        places.push_back(static_cast<uint64_t>(step.number(i)));
      } else if (kinds[i] == 's') {
        text(step.text(i));
      } else if (kinds[i] == 'b') {
        plan::Bytes bytes = step.bytes(i);
        REQUIRE(reinterpret_cast<uintptr_t>(bytes.data) % sizeof(uint64_t) == 0);
        place(bytes.data, bytes.size);
        for (size_t j = 0; j < bytes.size; j++) sum_ = sum_ + bytes.data[j];
      } else {
        char* const* items = step.vector(i);
        REQUIRE(reinterpret_cast<uintptr_t>(items) % sizeof(uint64_t) == 0);
        size_t count = 0;
        while (items[count] != nullptr) count++;
        place(items, (count + 1) * sizeof *items);
        for (size_t j = 0; j < count; j++) text(items[j]);
      }
    }
  }

  const Copy& copy_;
  uint64_t next_ = 0;
  /// So that the bytes are really read.
  volatile uint8_t sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Copy one(data, size);
  Copy other(data, size);
  REQUIRE(one.sound == other.sound);
  static const bool all_sound = getenv("ALL_SOUND") != nullptr;
  REQUIRE(one.sound || !all_sound || size == 0);  // libFuzzer begins with nothing at all
  if (!one.sound) return 0;
  REQUIRE(one.decoded.first_step == other.decoded.first_step);
  REQUIRE(Walk(one).places == Walk(other).places);
  // Pointers are no offsets: a plan that was decoded once is malformed or means nothing else, but does no harm.
  plan::Plan again;
  (void)plan::decode(one.memory.get(), one.size, &again);
  return 0;
}

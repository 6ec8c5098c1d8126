#include "plan.h"

namespace plan {

namespace {

constexpr const char* kSignatures[] = {
#define OP(name, signature) signature,
#include "ops.def"
#undef OP
};

/// Bounds-checked reader of the data behind the steps. Everything must stand in the order in which the steps name it,
/// so that no two arguments overlap and a relocated pointer never changes something that was already checked.
class Data {
 public:
  Data(uint8_t* memory, size_t size, size_t begin) : memory_(memory), size_(size), next_(begin) {}

  bool relocate(char kind, uint64_t* argument) {
    switch (kind) {
      case 'i':
        return true;
      case 's':
        return relocate_text(argument);
      case 'b':
        return relocate_bytes(argument);
      case 'v':
        return relocate_vector(argument);
      default:
        return false;
    }
  }

 private:
  uint64_t address(uint64_t offset) const { return reinterpret_cast<uint64_t>(memory_ + offset); }

  bool relocate_text(uint64_t* argument) {
    if (*argument < next_) return false;
    for (uint64_t end = *argument; end < size_; end++) {
      if (memory_[end] != 0) continue;
      next_ = end + 1;
      *argument = address(*argument);
      return true;
    }
    return false;
  }

  bool relocate_bytes(uint64_t* argument) {
    uint64_t length;
    if (!read_word(*argument, &length)) return false;
    uint64_t first = *argument + sizeof length;
    if (length > size_ - first) return false;
    next_ = first + length;
    *argument = address(*argument);
    return true;
  }

  // A count, that many strings, and a terminating null.
  bool relocate_vector(uint64_t* argument) {
    uint64_t count;
    if (!read_word(*argument, &count)) return false;
    uint64_t first = *argument + sizeof count;
    if (count >= (size_ - first) / sizeof(uint64_t)) return false;
    auto* items = reinterpret_cast<uint64_t*>(memory_ + first);
    if (items[count] != 0) return false;
    next_ = first + (count + 1) * sizeof(uint64_t);
    for (uint64_t i = 0; i < count; i++) {
      if (!relocate_text(&items[i])) return false;
    }
    *argument = address(first);
    return true;
  }

  bool read_word(uint64_t offset, uint64_t* value) const {
    if (offset < next_ || offset % sizeof *value != 0 || size_ < sizeof *value || offset > size_ - sizeof *value) {
      return false;
    }
    *value = *reinterpret_cast<const uint64_t*>(memory_ + offset);
    return true;
  }

  uint8_t* memory_;
  uint64_t size_;
  uint64_t next_;
};

}  // namespace

const char* signature(uint32_t op) {
  return op < static_cast<uint32_t>(Op::count) ? kSignatures[op] : nullptr;
}

bool decode(uint8_t* memory, size_t size, Plan* plan) {
  if (reinterpret_cast<uintptr_t>(memory) % alignof(Step) != 0 || size < sizeof(Header)) return false;
  auto* header = reinterpret_cast<const Header*>(memory);
  if (header->magic != kMagic || header->step_count > (size - sizeof(Header)) / sizeof(Step)) return false;

  auto* steps = reinterpret_cast<Step*>(memory + sizeof(Header));
  Data data(memory, size, sizeof(Header) + header->step_count * sizeof(Step));
  for (uint32_t i = 0; i < header->step_count; i++) {
    const char* kinds = signature(static_cast<uint32_t>(steps[i].op));
    if (kinds == nullptr) return false;
    for (size_t j = 0; kinds[j] != 0; j++) {
      if (!data.relocate(kinds[j], &steps[i].arguments[j])) return false;
    }
  }
  *plan = {steps, header->step_count, header->first_step};
  return true;
}

}  // namespace plan

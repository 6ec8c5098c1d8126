// The plan: a flat array of steps with everything they need, in one block of memory. TypeScript encodes it with
// offsets; decode() checks every one of them and turns it into a pointer, in place, before the clone. Nothing is
// allocated.
#pragma once

#include <cstddef>
#include <cstdint>

namespace plan {

enum class Op : uint32_t {
#define OP(name, signature) name,
#include "ops.def"
#undef OP
  count,
};

/// The signature letters of an operation, as ops.def lists them; nullptr for an unknown number.
const char* signature(uint32_t op);

constexpr uint32_t kMagic = 0x6e616c70;  // "plan"
constexpr size_t kMaxArguments = 6;

struct Bytes {
  const uint8_t* data;
  size_t size;
};

/// One step. Before decode() an argument of type s, b or v is an offset from the start of the plan.
struct Step {
  Op op;
  uint32_t reserved;
  uint64_t arguments[kMaxArguments];

  int64_t number(size_t i) const { return static_cast<int64_t>(arguments[i]); }
  const char* text(size_t i) const { return reinterpret_cast<const char*>(arguments[i]); }
  char* const* vector(size_t i) const { return reinterpret_cast<char* const*>(arguments[i]); }
  Bytes bytes(size_t i) const {
    auto* sized = reinterpret_cast<const uint64_t*>(arguments[i]);
    return {reinterpret_cast<const uint8_t*>(sized + 1), static_cast<size_t>(*sized)};
  }
};

struct Header {
  uint32_t magic;
  uint32_t step_count;
  /// Number of the first step within the whole plan; PID 1's part does not begin at 0.
  uint32_t first_step;
  uint32_t reserved;
};

struct Plan {
  const Step* steps = nullptr;
  uint32_t step_count = 0;
  uint32_t first_step = 0;
};

/// Checks an encoded plan and relocates it in place. `memory` must be 8-byte aligned and outlive the plan.
/// @return false when a length, offset, operation or terminator is wrong; the memory is then unusable
bool decode(uint8_t* memory, size_t size, Plan* plan);

}  // namespace plan

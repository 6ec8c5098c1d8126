// One function a step, named after its operation in ops.def, in three files by concern.
#pragma once

#include "run.h"

namespace plan {

#define OP(name, signature) Outcome step_##name(const Step& step, Context& context);
#include "ops.def"
#undef OP

}  // namespace plan

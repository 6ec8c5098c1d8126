#include "run.h"

#include "attempt.h"
#include "steps.h"

namespace plan {

namespace {

Outcome run_step(const Step& step, Context& context) {
  switch (step.op) {
#define OP(name, signature) \
  case Op::name:            \
    return step_##name(step, context);
#include "ops.def"
#undef OP
    case Op::count:
      break;
  }
  return failure(0, 22 /* EINVAL */);
}

}  // namespace

void fail(const Context& context, int32_t step, const Outcome& outcome) {
  ErrorRecord record = {step, outcome.index, outcome.error, outcome.syscall};
  sys::call(SYS_write, context.error_fd, &record, sizeof record);
  for (;;) sys::call(SYS_exit_group, 127);
}

// AddressSanitizer calls its runtime before a call that does not return, to tidy up the stack of the thread that it
// takes us for.
[[gnu::no_sanitize_address]] void run(const Plan& plan, Context& context) {
  for (uint32_t i = 0; i < plan.step_count; i++) {
    context.current_step = static_cast<int32_t>(plan.first_step + i);
    Outcome outcome = run_step(plan.steps[i], context);
    if (!outcome) fail(context, context.current_step, outcome);
  }
}

}  // namespace plan

// A tree of processes that can be ended as a whole where no PID namespace does it: by Landlock's scope of signals
// (landlock(7), ABI 6). Who is restricted by it reaches with kill(-1) what is as restricted or more, and nobody else,
// and the kernel signals all of them at once, with no fork in between (kill(2)). Three rings:
//
//   the guard   { 1 }          waits for the owner's end, and then ends whatever is left
//   the owner   { 1, 2 }       the helper itself, which reaps the command's orphans as their subreaper (prctl(2))
//   the command { 1, 2, 3 }    which reaches neither of them; its own restriction follows among its steps
#pragma once

#include "../plan/run.h"

namespace tree {

/// Step "subreaper": makes us the owner, and starts the guard.
/// @param flags of landlock_restrict_self(2)
plan::Outcome own(plan::Context& context, int64_t flags);

/// In the command: it must not hold the guard's pipe.
void leave(plan::Context& context);

/// Nothing is left: lets the guard go and reaps it.
void dismiss(const plan::Context& context);

}  // namespace tree

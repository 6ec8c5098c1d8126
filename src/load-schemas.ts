// The schemas, loaded when the first profile or spawn is checked: with zod they are most of the code, and an editor that
// starts should not wait for them. webpack.config.js leaves this one require as it is.

import type * as Schemas from "./schemas";

/** The schemas; Node keeps them once they are loaded. */
export function schemas(): typeof Schemas {
  return require("./schemas");
}

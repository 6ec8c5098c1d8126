// How much more time to give where everything is slower than on a machine of today: in software emulation.

/** Environment variable: a factor. */
export const SLOWNESS_VARIABLE = "SANDBOX_TASKS_TEST_SLOWNESS";

/** Factor for the limits of what tests wait for; 1 unless the variable says otherwise. */
export const SLOWNESS = Number(process.env[SLOWNESS_VARIABLE] ?? 1);

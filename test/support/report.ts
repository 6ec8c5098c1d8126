// What a suite reports, and where to: agreed between the reporter and whoever starts a suite.

/** Environment variable: file that the JSON report is written to, at the end. */
export const REPORT_FILE_VARIABLE = "SANDBOX_TASKS_TEST_REPORT";

/** Environment variable: file that every line is appended to, as it comes. */
export const LOG_FILE_VARIABLE = "SANDBOX_TASKS_TEST_LOG";

export interface SuiteReport {
  passed: { title: string; milliseconds: number }[];
  failed: { title: string; error: string }[];
  skipped: { title: string }[];
  milliseconds: number;
}

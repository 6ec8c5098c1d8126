// Problem matchers that are written out in tasks.json, on lines as compilers print them.

import assert from "node:assert/strict";
import { LineMatcher, type MatchedProblem, parseMatcher } from "../../src/tasks/problemMatcher";

function problems(written: object, ...lines: string[]): MatchedProblem[] {
  const matcher = parseMatcher(written, "/w");
  assert(matcher, "it is well formed");
  const reader = new LineMatcher(matcher);
  return lines.flatMap((line) => reader.line(line) ?? []);
}

const GCC = {
  owner: "cpp",
  fileLocation: ["relative", "$" + "{workspaceFolder}/src"],
  pattern: {
    regexp: "^(.*):(\\d+):(\\d+):\\s+(warning|error):\\s+(.*)$",
    file: 1,
    line: 2,
    column: 3,
    severity: 4,
    message: 5,
  },
};

describe("a problem matcher that is written out in tasks.json", () => {
  it("finds file, place, severity and message in one line", () => {
    assert.deepEqual(problems(GCC, "make: entering", "a.c:5:9: warning: unused variable", "done"), [
      {
        file: "/w/src/a.c",
        line: 5,
        column: 9,
        endLine: 5,
        endColumn: 9,
        severity: "warning",
        message: "unused variable",
      },
    ]);
  });

  it("takes places in one group, and a severity of its own", () => {
    const written = {
      severity: "info",
      fileLocation: "absolute",
      pattern: { regexp: "^(\\S+)\\(([\\d,]+)\\): (\\w+) (.*)$", file: 1, location: 2, code: 3, message: 4 },
    };
    const [problem, ...others] = problems(written, "/a/b.ts(1,2,3,4): TS1 broken", "relative.ts(1): TS1 no");
    assert.deepEqual(others, [], "a relative name is none where absolute ones are promised");
    assert.deepEqual(problem, {
      file: "/a/b.ts",
      line: 1,
      column: 2,
      endLine: 3,
      endColumn: 4,
      severity: "info",
      message: "broken",
      code: "TS1",
    });
  });

  it("has the groups that VS Code takes for granted", () => {
    const [problem] = problems({ pattern: { regexp: "^(\\w+\\.c) (\\d+) (\\d+)" } }, "x.c 7 8 whatever");
    assert.deepEqual([problem?.file, problem?.line, problem?.column], ["/w/x.c", 7, 8]);
    assert.equal(problem?.message, "x.c 7 8");
  });

  it("spans lines, and goes on with the last pattern while it fits", () => {
    const stylish = {
      pattern: [
        { regexp: "^(\\S.*\\.js)$", file: 1 },
        {
          regexp: "^\\s+(\\d+):(\\d+)\\s+(error|warning)\\s+(.*)$",
          line: 1,
          column: 2,
          severity: 3,
          message: 4,
          loop: true,
        },
      ],
    };
    const found = problems(
      stylish,
      "a.js",
      "  1:2  error  one",
      "  3:4  warning  two",
      "",
      "  5:6  error  lost",
      "b.js",
      "  7:8  error  three",
    );
    assert.deepEqual(
      found.map(({ file, line, severity, message }) => [file, line, severity, message]),
      [
        ["/w/a.js", 1, "error", "one"],
        ["/w/a.js", 3, "warning", "two"],
        ["/w/b.js", 7, "error", "three"],
      ],
    );
  });

  it("starts again at a line that breaks it off and begins anew", () => {
    const written = {
      pattern: [
        { regexp: "^file (\\S+)$", file: 1 },
        { regexp: "^at (\\d+) (.*)$", line: 1, message: 2 },
      ],
    };
    assert.deepEqual(
      problems(written, "file a", "file b", "at 3 wrong").map(({ file }) => file),
      ["/w/b"],
    );
  });

  it("is not used when it is not well formed, or builds on a name that only VS Code knows", () => {
    for (const wrong of [
      null,
      "$tsc",
      {},
      { base: "$tsc", owner: "x" },
      { pattern: "$gcc" },
      { pattern: { regexp: "(" } },
      { pattern: [] },
      { ...GCC, fileLocation: ["relative", "$" + "{input:where}"] },
      { ...GCC, fileLocation: "search" },
    ]) {
      assert.equal(parseMatcher(wrong, "/w"), undefined, JSON.stringify(wrong));
    }
  });
});

// What a sandbox uses of what it may use, as the tree shows it.

import assert from "node:assert/strict";
import { resourceRows, resourceSummary } from "../../src/views/resourceRows";

describe("the resources of a sandbox", () => {
  const values = (figures: Parameters<typeof resourceRows>[0]): string[] =>
    resourceRows(figures).map(({ resource, value }) => `${resource}: ${value}`);

  it("are shown with their limits", () => {
    const figures = {
      memoryCurrent: 120e6,
      memoryPeak: 300e6,
      memoryMax: 2e9,
      swapCurrent: 0,
      swapMax: 1e9,
      pidsCurrent: 14,
      pidsMax: 512,
      cpuTime: 12.4,
      cpuMax: 0.5,
    };
    assert.deepEqual(values(figures), [
      "memory: 120 MB of 2.0 GB",
      "swap: 0 kB of 1.0 GB",
      "pids: 14 of 512",
      "cpu: 12.4 s, at most 0.5 CPUs at a time",
    ]);
    assert.equal(
      resourceSummary(figures),
      "120 MB of 2.0 GB · 14 of 512 processes · CPU 12.4 s, at most 0.5 CPUs at a time",
    );
    assert.deepEqual(resourceRows(figures)[0]?.details, [["Peak", "300 MB"]]);
  });

  it("are shown alone where nothing limits them, and swap only where there is some", () => {
    assert.deepEqual(values({ memoryCurrent: 1e6, swapCurrent: 0, swapMax: 0, pidsCurrent: 3, cpuTime: 0.5 }), [
      "memory: 1.0 MB",
      "pids: 3",
      "cpu: 0.50 s",
    ]);
    assert.deepEqual(values({ swapCurrent: 5e6 }), ["swap: 5.0 MB"]);
  });

  it("are left out where no controller counts them", () => {
    assert.deepEqual(values({ populated: true, frozen: false, cpuTime: 1 }), ["cpu: 1.0 s"]);
    assert.equal(resourceSummary({}), "");
  });
});

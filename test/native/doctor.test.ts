// The doctor on this very system, and the features that it knows against those that probe() tries.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { api, children, openFds } from "./spawner-world";

const { doctor } = api.sandbox;

/** Known to the doctor; they are to be tried as soon as the parts that use them are there. */
const TO_BE_TRIED = ["seccomp filter", "seccomp notification"];

describe("the doctor, on this system", () => {
  it("has a line for every feature that is tried, and tries every feature that it has a line for", async () => {
    const { features } = await doctor.checkSystem();
    const tried = features.map(({ feature }) => feature);
    assert.deepEqual(
      features.filter(({ use }) => use === ""),
      [],
    );
    const probed = (await api.probe()).map(({ feature }) => feature);
    assert.deepEqual(
      probed.filter((feature) => !tried.includes(feature)),
      [],
    );
    assert.deepEqual(
      api.FEATURES.filter((feature) => !tried.includes(feature) && !TO_BE_TRIED.includes(feature)),
      [],
    );
  });

  it("finds that sandboxes can run, tells how far it is, and leaves nothing behind", async () => {
    await doctor.checkSystem();
    const fds = openFds().length;
    const steps: number[] = [];
    const { TMPDIR } = process.env;
    const temp = mkdtempSync(join(tmpdir(), "doctor-"));
    process.env.TMPDIR = temp;
    const report = await doctor.checkSystem({ onProgress: (_, done) => steps.push(done) }).finally(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    });
    assert.equal(report.ok, true, doctor.reportText(report));
    assert.deepEqual(
      report.profiles.filter(({ runs }) => !runs),
      [],
    );
    assert.deepEqual(
      steps,
      [...steps].sort((a, b) => a - b),
    );
    assert.equal(openFds().length, fds);
    assert.deepEqual(children(), []);
    assert.deepEqual(readdirSync(temp), []);
    rmSync(temp, { recursive: true });
  });

  it("tries the user's profiles too, and says of each why it can't run", async () => {
    const profiles = { mine: { network: "none" }, misspelt: { netwrok: "none" } };
    const report = await doctor.checkSystem({ profiles });
    const of = (name: string) => report.profiles.find(({ profile }) => profile === name);
    assert.deepEqual(of("mine"), { profile: "mine", runs: true });
    assert.match(of("misspelt")?.reason ?? "", /sandbox\.profiles\.misspelt\.netwrok: .*"network"/);
    assert.match(doctor.reportText(report), /^ {2}✘ misspelt +can't run:$/m);
    assert.equal(report.ok, true);
  });
});

// For mocha's --require: raises the time limit of every test and hook by the slowness of the machine, also where a test
// has set its own.

import { Runnable } from "mocha";
import { SLOWNESS } from "./slowness";

// Of a suite's limit each test gets a copy through this method, and so does a test that sets its own.
const set = Runnable.prototype.timeout as (this: Runnable, ms: string | number) => Runnable;
const get = Runnable.prototype.timeout as (this: Runnable) => number;

function timeout(this: Runnable): number;
function timeout(this: Runnable, ms: string | number): Runnable;
function timeout(this: Runnable, ms?: string | number): Runnable | number {
  if (ms === undefined) return get.call(this);
  return set.call(this, typeof ms === "number" ? ms * SLOWNESS : ms);
}

Runnable.prototype.timeout = timeout;

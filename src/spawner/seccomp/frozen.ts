// Data that can't change any more needs to be looked at only once.

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether neither a value nor anything in it can change: plain data without getters, frozen to the bottom. */
export function isDeeplyFrozen(value: unknown): boolean {
  if (!isObject(value)) return typeof value !== "function";
  return (
    Object.isFrozen(value) &&
    Object.values(Object.getOwnPropertyDescriptors(value)).every((own) => "value" in own && isDeeplyFrozen(own.value))
  );
}

/** The same value, frozen to the bottom. */
export function deepFreeze<T>(value: T): T {
  if (isObject(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

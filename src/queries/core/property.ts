/** A property of whatever it is. The client of postgres.js is a function, and so not an object to `typeof`. */
export const propertyOf = (value: unknown, key: PropertyKey): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, key)
    : undefined;

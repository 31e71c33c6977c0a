import type { Message } from '@bufbuild/protobuf';

/**
 * A message like `message` but for `changes`, whose other parts are shared with it: weights are never copied.
 *
 * Not `create(schema, { ...message, ...changes })`: the library takes a spread message for a message and gives it back
 * without the prototype that holds its fields' defaults.
 */
export function copyWith<T extends Message>(message: T, changes: Partial<T>): T {
  const copy = Object.create(Object.getPrototypeOf(message) as object) as T;
  return Object.assign(copy, message, changes);
}

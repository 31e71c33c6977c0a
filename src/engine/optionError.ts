import { VoxlaneError } from '../util/errors';

/** The error for an option whose value cannot be used. */
export function optionError(name: string, value: unknown, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The option ${name} is ${String(value)}`,
    expected,
    remedy: 'Change the option and run again',
  });
}

/** Records the output of commands that run in the process of a test. */
import { vi } from 'vitest';

/** Text written so far. */
interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Records both outputs until `vi.restoreAllMocks()`. */
export function recordOutput(): Output {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text, ...rest) => {
      output[name] += String(text);
      rest.find((each) => typeof each === 'function')?.(null);
      return true;
    });
  }
  return output;
}

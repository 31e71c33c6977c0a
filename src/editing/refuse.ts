import { VoxlaneError } from '../util/errors';

/** An edit that cannot be, as the error that `applyEdit` throws. */
export function refusal(problem: string, expected: string, remedy: string): VoxlaneError {
  return new VoxlaneError({ code: 'options', problem, expected, remedy });
}

/** A time in an error's sentence. */
export function inSeconds(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

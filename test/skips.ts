/** Tests that need something that a machine may lack. A skipped test prints its reason and has it in its title. */
import { describe, it } from 'vitest';
import { withSkipReason } from './skipTitle';

/** A reason to skip tests: a phrase without a period. Null or false if they can run. */
export type SkipReason = string | null | false;

type Body = (() => void) | (() => Promise<void>);

/** What {@link itUnless} and {@link describeUnless} return: the part of Vitest's functions that tests use. */
interface Register<Each> {
  (title: string, body: Body, timeoutMs?: number): void;
  (title: string, options: { readonly timeout: number }, body: Body): void;
  readonly each: Each;
}

/** Defines a test, or skips it with a reason. */
export function itUnless(reason: SkipReason): Register<typeof it.each> {
  return reason === null || reason === false ? it : skipping(it.skip, reason);
}

/** Defines a group of tests, or skips all its tests with a reason. */
export function describeUnless(reason: SkipReason): Register<typeof describe.each> {
  return reason === null || reason === false ? describe : skipping(describe.skip, reason);
}

/** @param skip defines tests that do not run */
export function skipping<Each>(skip: Register<Each>, reason: string): Register<Each> {
  type Run = (title: string, ...rest: readonly unknown[]) => void;
  const explained = (run: Run, reasonInTitle: string): Run => (title, ...rest) => {
    console.log(`skipped: ${title}: ${reason}`);
    run(withSkipReason(title, reasonInTitle), ...rest);
  };
  const each = (...cases: readonly unknown[]): Run => {
    const run = (skip.each as (...cases: readonly unknown[]) => Run)(...cases);
    // Titles of `each` are format strings.
    return explained(run, reason.replaceAll('%', '%%'));
  };
  return Object.assign(explained(skip as Run, reason), { each: each as Each });
}

import { describe, expect, it } from 'vitest';
import { longestTask } from './trace';

const task = (tid: number, milliseconds: number) => ({ name: 'RunTask', pid: 1, tid, args: {}, tdur: 1000 * milliseconds });
const thread = (tid: number, name: string) => ({ name: 'thread_name', pid: 1, tid, args: { name } });
const trace = (...traceEvents: object[]) => Buffer.from(JSON.stringify({ traceEvents }));

describe('longestTask', () => {
  it("considers only tasks of the main thread", () => {
    const paint = { ...task(7, 90), name: 'Paint' };
    const events = [thread(7, 'CrRendererMain'), thread(8, 'DedicatedWorker'), task(7, 3), task(7, 12), task(8, 70), paint];
    expect(longestTask(trace(...events), 2)).toBe(12);
  });

  it('rejects a trace without the tasks of a run', () => {
    expect(() => longestTask(trace(thread(7, 'CrRendererMain'), task(7, 3)), 2)).toThrow('only 1 tasks');
  });
});

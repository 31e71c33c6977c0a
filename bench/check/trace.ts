interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** CPU time in microseconds. */
  readonly tdur?: number;
}

/** CPU time of each main-thread task. Wall time would depend on other load on the machine. */
function busyMilliseconds(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
  const pages = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(threadOf),
  );
  return traceEvents.flatMap((event) =>
    event.name === 'RunTask' && event.tdur !== undefined && pages.has(threadOf(event)) ? [event.tdur / 1000] : [],
  );
}

/**
 * CPU time of the longest main-thread task in milliseconds.
 *
 * @param fewest minimum number of tasks in the trace
 * @throws Error for a trace with fewer tasks, because it does not cover the measured work
 */
export function longestTask(trace: Buffer, fewest: number): number {
  const tasks = busyMilliseconds(trace);
  if (tasks.length < fewest) throw new Error(`The trace has only ${tasks.length} tasks of the main thread. Expected ${fewest}.`);
  return Math.max(...tasks);
}

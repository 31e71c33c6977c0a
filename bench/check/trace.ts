interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** Computing time, microseconds. */
  readonly tdur?: number;
}

/** Computing time of each task of the page's thread: its wall time would be the machine's load as well. */
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
 * Computing time of the longest task of the page's thread, in milliseconds.
 *
 * @param fewest tasks that the trace must have
 * @throws Error for a trace with fewer, because then it is not of what was to be measured
 */
export function longestTask(trace: Buffer, fewest: number): number {
  const tasks = busyMilliseconds(trace);
  if (tasks.length < fewest) throw new Error(`The trace has only ${tasks.length} tasks of the page's thread. Expected ${fewest}.`);
  return Math.max(...tasks);
}

import { measure } from './measure';
import type { Cause, StageReport } from './report';
import type { PlanRunner, StageTensors } from './stages';

/** Runs that the check makes at most. Of more stages before, evenly spaced ones are injected. */
const MAX_RUNS = 8;
/** Share of the error that one stretch of the graph may bring for the error to count as the sum of several. */
const MAX_SHARE = 0.5;

/** What the check of a stage gives that passes on golden input only. */
export interface Accumulation {
  /** Null if one stretch brings most of the error, or that cannot be found out. */
  readonly cause: Cause | null;
  /** For people, if there is no cause. */
  readonly note: string | null;
}

/**
 * Finds out how an error grows that no stage makes by itself. The golden outputs of the first upstream stage are
 * injected, then those of the first two, and so on: what the error loses at each step is what the stretch of the graph
 * up to there brings. Only if no stretch brings more than half of it has the error accumulated.
 *
 * @param upstream the stages before it, in the order of the graph
 * @throws VoxlaneError what the backend throws
 */
export async function checkAccumulated(
  { graph }: PlanRunner,
  own: StageTensors,
  stage: StageReport,
  upstream: readonly StageTensors[],
): Promise<Accumulation> {
  const { value } = own.planned;
  const injected = upstream.filter(({ planned, golden }) => planned.value !== value && own.feeds.get(planned.value) === golden);
  if (stage.relative === null || stage.forced?.relative == null || injected.length === 0) return { cause: null, note: null };
  const count = Math.min(MAX_RUNS, injected.length);
  const ends = Array.from({ length: count }, (_, index) => Math.ceil(((index + 1) * injected.length) / count));
  const golden = new Set(injected.map(({ planned }) => planned.value));
  const inputs = new Map([...own.feeds].filter(([name]) => !golden.has(name)));
  const steps: { readonly name: string; readonly share: number }[] = [];
  let before = stage.relative;
  for (const end of ends) {
    const given = injected.slice(0, end);
    const feeds = new Map([...inputs, ...given.map((one) => [one.planned.value, one.golden] as const)]);
    const actual = (await graph.values(feeds, [value])).get(value)!;
    const { relative } = measure(actual, own.golden, stage.axes);
    if (relative === null) return { cause: null, note: null };
    steps.push({ name: given.at(-1)!.planned.golden.name, share: (before - relative) / stage.relative });
    before = relative;
  }
  steps.push({ name: stage.name, share: before / stage.relative });
  const greatest = steps.reduce((most, step) => (step.share > most.share ? step : most));
  const percent = Math.round(100 * greatest.share);
  if (greatest.share > MAX_SHARE) {
    return {
      cause: null,
      note: `right on golden input: ${percent} % of the error comes from before ${greatest.name} or from it, where it is within the tolerance`,
    };
  }
  return {
    cause: {
      id: 'accumulated',
      evidence:
        `${stage.name} is within its tolerance on golden input (relative error ${stage.forced.relative.toExponential(2)}) and ` +
        `outside on its own (${stage.relative.toExponential(2)}). With golden values injected at ${count === 1 ? 'a stage' : `${count} stages`} before it, ` +
        `no stretch of the graph brings more than ${percent} % of the error: errors accumulate`,
      values: { relative: stage.relative, forcedRelative: stage.forced.relative, greatestShare: greatest.share, stretch: greatest.name },
    },
    note: null,
  };
}

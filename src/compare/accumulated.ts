import { measure } from './measure';
import type { Cause, Measures, StageReport } from './report';
import type { StageRunner, StageTensors } from './stages';

/** Greatest number of runs. If more stages are upstream, the check injects at evenly spaced ones. */
const MAX_RUNS = 8;
/** Greatest share of the error that one stretch of the graph may cause if the error has accumulated. */
const MAX_SHARE = 0.5;

/** Why a stage fails that passes on golden input. */
export interface Accumulation {
  /** Null if one stretch causes most of the error, or if the check is not possible. */
  readonly cause: Cause | null;
  /** Result in words if there is no cause. */
  readonly note: string | null;
}

/** Norm of the error, relative to that of the golden values: unlike the error that is judged, that of all values together. */
const errorOf = ({ relative, snrDb }: Pick<Measures, 'relative' | 'snrDb'>): number | null => {
  if (snrDb !== null) return 10 ** (-snrDb / 20);
  return relative === 0 ? 0 : null;
};

/**
 * Measures where an error comes from if every stage passes on golden input. It injects the golden output of the first
 * upstream stage, then those of the first two, and so on. Each step removes the error of the stretch of the graph up to the
 * last injected stage. The error has accumulated if no stretch causes more than half of it.
 *
 * @param upstream stages that the stage is computed from, in the order of the graph
 * @throws VoxlaneError errors of the backend
 */
export async function checkAccumulated(
  { graph }: StageRunner,
  own: StageTensors,
  stage: StageReport,
  upstream: readonly StageTensors[],
): Promise<Accumulation> {
  const { value } = own.planned;
  const injected = upstream.filter(({ planned, golden }) => planned.value !== value && own.feeds.get(planned.value) === golden);
  const whole = errorOf(stage);
  if (whole === null || stage.relative === null || stage.forced?.relative == null || injected.length === 0) return { cause: null, note: null };
  const count = Math.min(MAX_RUNS, injected.length);
  const ends = Array.from({ length: count }, (_, index) => Math.ceil(((index + 1) * injected.length) / count));
  const golden = new Set(injected.map(({ planned }) => planned.value));
  const inputs = new Map([...own.feeds].filter(([name]) => !golden.has(name)));
  const steps: { readonly name: string; readonly share: number }[] = [];
  let before = whole;
  for (const end of ends) {
    const given = injected.slice(0, end);
    const feeds = new Map([...inputs, ...given.map((one) => [one.planned.value, one.golden] as const)]);
    const actual = (await graph.values(feeds, [value])).get(value)!;
    const left = errorOf(measure(actual, own.golden, stage.axes));
    if (left === null) return { cause: null, note: null };
    steps.push({ name: given.at(-1)!.planned.golden.name, share: (before - left) / whole });
    before = left;
  }
  steps.push({ name: stage.name, share: before / whole });
  const greatest = steps.reduce((most, step) => (step.share > most.share ? step : most));
  const percent = Math.round(100 * greatest.share);
  if (greatest.share > MAX_SHARE) {
    return {
      cause: null,
      note: `passes on golden input: ${percent} % of the error comes from the stretch of the graph that ends at ${greatest.name}`,
    };
  }
  return {
    cause: {
      id: 'accumulated',
      evidence:
        `${stage.name} is within its tolerance on golden input (relative error ${stage.forced.relative.toExponential(2)}) and ` +
        `outside on computed input (${stage.relative.toExponential(2)}). With golden values injected at ${count === 1 ? 'a stage' : `${count} stages`} before it, ` +
        `no stretch of the graph causes more than ${percent} % of the error: errors accumulate`,
      values: { relative: stage.relative, forcedRelative: stage.forced.relative, greatestShare: greatest.share, stretch: greatest.name },
    },
    note: null,
  };
}

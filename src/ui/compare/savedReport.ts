import type { Tolerance } from '../../compare/compare';
import { VoxlaneError } from '../../util/errors';
import { BACKENDS, shownReports } from './selection';
import type { State } from './state';

/**
 * The report as JSON, to send to somebody. Verdicts in `reports` are by the bundle's tolerances; what was edited in
 * the view is apart, with the verdicts that it would give. Numbers that are not finite are texts: JSON has none.
 *
 * @param at milliseconds since the epoch
 * @throws VoxlaneError `options` where nothing is opened
 */
export function reportJson(state: State, environment: Readonly<Record<string, string>>, at: number): string {
  const { opened, reports, between, tolerances, audit, bisect } = state;
  if (!opened) {
    throw new VoxlaneError({ code: 'options', problem: 'There is nothing to report', remedy: 'Open a model first' });
  }
  const { graph, goldens, model, isShipped, checkpoint } = opened;
  const judged = shownReports(state);
  const report = {
    format: 'voxlane-comparison',
    version: 1,
    created: new Date(at).toISOString(),
    model: { name: model, isShipped, checkpoint, ...graph, values: undefined, nodes: undefined, weights: undefined, numValues: graph.values.length },
    goldens: goldens && { file: goldens.file, source: goldens.source, notes: goldens.notes },
    environment,
    reports: BACKENDS.flatMap((backend) => reports[backend] ?? []),
    between,
    edited:
      tolerances.size === 0
        ? null
        : {
            tolerances: Object.fromEntries<Tolerance>(tolerances),
            verdicts: BACKENDS.flatMap((backend) => judged[backend] ?? []).map(({ backend, verdict, firstDivergence, stages }) => ({
              backend,
              verdict,
              firstDivergence,
              stages: Object.fromEntries(stages.map((stage) => [stage.name, stage.verdict])),
            })),
          },
    bisect,
    audit,
  };
  return `${JSON.stringify(report, writeNumber, 2)}\n`;
}

function writeNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

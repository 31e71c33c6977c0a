/** The work of the commands `compare` and `bisect`, on a page or in Node. */
import type { DecisionRule } from '../../src/compare/decisions/rule';
import type { PrecisionReport } from '../../src/compare/precisionReport';
import type { BetweenReport, BisectReport, ComparisonReport, RuntimeBackend } from '../../src/compare/report';
import type { ToleranceOverride } from '../../src/compare/stageTolerance';
import type { CallOptions, Comparator, CompareStepsCallOptions, NamedBlob, Opened, PrecisionCallOptions } from '../../src/engine/comparator';
import type { StepsReport } from '../../src/compare/steps/stepsReport';
import type { WeightsForm } from '../../src/weights/convert';
import type { Runs } from '../compareReport';
import type { GraphList } from '../listGraph';
import { answer, type Answer } from './answer';

/** Files, or the ID of a bundled model. */
export type Subject = readonly (File | NamedBlob)[] | string;

export interface CompareRequest {
  readonly map: readonly (readonly [string, string])[];
  readonly backends: readonly RuntimeBackend[];
  readonly tolerance?: ToleranceOverride;
  readonly thorough: boolean;
  readonly decisions?: DecisionRule | undefined;
  /** Form of weights that are bound by name. */
  readonly form?: WeightsForm | undefined;
}

export interface PrecisionRequest {
  readonly map: readonly (readonly [string, string])[];
  readonly backend: RuntimeBackend;
  readonly limit: number;
  readonly decisions?: DecisionRule | undefined;
}

export interface BisectRequest {
  readonly tolerance: number | undefined;
}

export interface BisectAnswer {
  readonly report: BisectReport;
  /** A zip; null if there is nothing to report. */
  readonly bugReport: Uint8Array | null;
}

const open = (comparator: Comparator, subject: Subject, form?: WeightsForm): Promise<Opened> =>
  typeof subject === 'string' ? comparator.openShipped(subject) : comparator.open(subject, form === undefined ? {} : { form });

/** Compares the subject on each backend in turn. */
export function compareFiles(comparator: Comparator, subject: Subject, request: CompareRequest, progress: CallOptions): Promise<Answer<Runs>> {
  const { map, backends, tolerance = {}, thorough, decisions, form } = request;
  const options = { ...progress, tolerance, thorough, ...(decisions && { decisions }) };
  return answer(async () => {
    let about = await open(comparator, subject, form);
    for (const [stage, value] of map) about = await comparator.mapStage(stage, value);
    const runs: ComparisonReport[] = [];
    const failures: Runs['failures'][number][] = [];
    const steps = about.steps ? await compareSteps(comparator, backends, { ...progress, tolerance }) : null;
    // The stages of one step are reported in full: of the first that is wrong, or of the last.
    const shown = steps?.find(({ first }) => first !== null)?.first?.step ?? about.steps?.recorded.at(-1)?.index;
    if (shown !== undefined) about = await comparator.selectStep(shown);
    for (const backend of backends) {
      const run = await answer(() => comparator.compare(backend, options));
      if (run.ok) runs.push(run.result);
      else failures.push({ backend, error: run.error });
    }
    const between: readonly BetweenReport[] | null = runs.length > 1 ? await comparator.between() : null;
    let kernels: ComparisonReport | null = null;
    if (about.hasKernels && backends.includes('wasm') && runs.length > 0) {
      const run = await answer(() => comparator.compare('kernels', options));
      if (run.ok) kernels = run.result;
      else failures.push({ backend: 'kernels', error: run.error });
    }
    return { runs, failures, between, kernels, steps, notes: about.goldens?.notes ?? [] };
  });
}

/** The backend that is not available fails again in the comparison of the stages, which reports it. */
async function compareSteps(comparator: Comparator, backends: CompareRequest['backends'], options: CompareStepsCallOptions): Promise<StepsReport[]> {
  const reports: StepsReport[] = [];
  for (const backend of backends) {
    const run = await answer(() => comparator.compareSteps(backend, options));
    if (run.ok) reports.push(run.result);
  }
  return reports;
}

/** Rounds the weights of the graph. */
export function roundFiles(
  comparator: Comparator,
  subject: Subject,
  { map, backend, limit, decisions }: PrecisionRequest,
  progress: Pick<PrecisionCallOptions, 'onProgress' | 'onRow'>,
): Promise<Answer<PrecisionReport>> {
  return answer(async () => {
    await open(comparator, subject);
    for (const [stage, value] of map) await comparator.mapStage(stage, value);
    return comparator.precision(backend, { ...progress, limit, ...(decisions && { decisions }) });
  });
}

/** Lists the values of the graph. */
export function listFiles(comparator: Comparator, subject: Subject, progress: CallOptions): Promise<Answer<GraphList>> {
  return answer(async () => {
    const { model, graph } = await open(comparator, withInputs(subject));
    return { model, inputs: graph.inputs, values: await comparator.values(progress) };
  });
}

/** Bisects the graph, with the `.npy` files as inputs. */
export function bisectFiles(comparator: Comparator, subject: Subject, { tolerance }: BisectRequest, progress: CallOptions): Promise<Answer<BisectAnswer>> {
  return answer(async () => {
    await open(comparator, withInputs(subject));
    const report = await comparator.bisect({ ...progress, ...(tolerance !== undefined && { tolerance }) });
    return { report, bugReport: report.node ? await comparator.bugReport() : null };
  });
}

function withInputs(subject: Subject): Subject {
  if (typeof subject === 'string') return subject;
  return subject.map((file) => {
    const blob = file instanceof File ? file : file.blob;
    // Tensors in the folder "inputs" are inputs regardless of their names.
    return { name: /\.npy$/i.test(file.name) ? `inputs/${file.name}` : file.name, blob };
  });
}

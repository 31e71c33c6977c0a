/** The report of `compare --junit`: JUnit XML with one test suite per bundle, and one test case per stage and per step of a model with a state. */
import { countText, isSufficient } from '../src/compare/verdict';
import type { ComparisonReport, StageReport } from '../src/compare/report';
import type { StepsReport } from '../src/compare/steps/stepsReport';
import type { ErrorParts } from '../src/util/errors';
import type { BundleResult } from './compareBatch';
import { decisionLines, decisionSentence } from './decisionText';
import { failureText } from './errorLine';
import { stageLine, STEP_CAUSES } from './stepText';

type Kind = 'failure' | 'error' | 'skipped';

interface Case {
  readonly name: string;
  /** Text of a passing test case. */
  readonly output?: string;
  readonly problem?: { readonly kind: Kind; readonly type: string; readonly message: string; readonly text?: string };
}

/** The XML document. Characters that XML does not allow are replaced. */
export function junitText(results: readonly BundleResult[]): string {
  const suites = results.map((result) => ({ result, cases: casesOf(result) }));
  const all = suites.flatMap(({ cases }) => cases);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="compare"${countsOf(all)}${attribute('time', seconds.toFixed(3))}>`,
    ...suites.flatMap(({ result, cases }) => suiteLines(result, cases)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteLines({ bundle, graph, seconds, report }: BundleResult, cases: readonly Case[]): string[] {
  const properties = Object.entries({ decisions: report && decisionSentence(report.decisions), graph, model: report?.model, backend: report?.backend, adapter: report?.adapter }).filter(([, value]) => typeof value === 'string');
  return [
    `  <testsuite${attribute('name', bundle)}${countsOf(cases)}${attribute('time', seconds.toFixed(3))}>`,
    ...(properties.length > 0
      ? ['    <properties>', ...properties.map(([name, value]) => `      <property${attribute('name', name)}${attribute('value', value!)}/>`), '    </properties>']
      : []),
    ...cases.flatMap((one) => caseLines(bundle, one)),
    '  </testsuite>',
  ];
}

function caseLines(bundle: string, { name, output, problem }: Case): string[] {
  const start = `    <testcase${attribute('classname', bundle)}${attribute('name', name)}`;
  if (!problem && output !== undefined) return [`${start}>`, `      <system-out>${escaped(output)}</system-out>`, '    </testcase>'];
  if (!problem) return [`${start}/>`];
  const { kind, type, message, text } = problem;
  // The schema does not allow a type for skipped test cases.
  const head = `      <${kind}${kind === 'skipped' ? '' : attribute('type', type)}${attribute('message', message)}`;
  return [`${start}>`, text === undefined ? `${head}/>` : `${head}>${escaped(text)}</${kind}>`, '    </testcase>'];
}

function countsOf(cases: readonly Case[]): string {
  const count = (kind: Kind): string => String(cases.filter(({ problem }) => problem?.kind === kind).length);
  return attribute('tests', String(cases.length)) + attribute('failures', count('failure')) + attribute('errors', count('error')) + attribute('skipped', count('skipped'));
}

function casesOf({ status, report, error }: BundleResult): Case[] {
  if (!report) {
    const isNotRun = status === 'not-run';
    const problem = isNotRun
      ? { kind: 'skipped' as const, type: 'not-run', message: 'the comparison was interrupted' }
      : errorOf(error!);
    return [{ name: 'bundle', problem }];
  }
  const { coverage, failures, runs, kernels } = report;
  const decisions = runs ? runs.flatMap((run) => decisionCases(run, run.backend)) : decisionCases(report, null);
  const stages = runs ? runs.flatMap((run) => run.stages.map((stage) => stageCase(stage, run.backend))) : report.stages.map((stage) => stageCase(stage, null));
  const uncompared = coverage.uncompared.map(({ name, mergedWith }): Case => {
    const message = mergedWith === null ? 'no value of the graph is known for this stage' : `the exporter merged this stage with ${mergedWith}`;
    return { name, problem: { kind: 'skipped', type: 'uncompared', message } };
  });
  const output = coverage.isOutputCompared ? '' : ', and no output of the graph';
  const incomplete: Case = { name: 'coverage', problem: { kind: 'error', type: 'incomplete', message: `compared ${countText(coverage)}${output}` } };
  return [
    ...decisions,
    ...(report.steps ?? []).flatMap(stepCases),
    ...stages,
    ...(kernels?.stages.map((stage) => stageCase(stage, 'kernels')) ?? []),
    ...uncompared,
    ...(isSufficient(coverage) ? [] : [incomplete]),
    ...failures.map((failure): Case => ({ name: `backend ${failure.backend}`, problem: errorOf(failure.error) })),
  ];
}

/** One case per recorded step. Its type distinguishes an error of the step itself from an error of the state that it starts from. */
function stepCases({ backend, steps }: StepsReport): Case[] {
  return steps.map((step): Case => {
    const name = `step ${step.index} at ${step.startSeconds.toFixed(2)} s (${backend})`;
    if (step.verdict === 'pass') return { name };
    const { frames, goldenFrames, otherFrames } = step.state;
    const state = `${frames} frames of state, golden ${goldenFrames}${otherFrames === null ? '' : `, ${otherFrames} other`}`;
    const message = `${step.firstDivergence!}, by ${STEP_CAUSES[step.verdict]}`;
    return { name, problem: { kind: 'failure', type: step.verdict, message, text: [message, state, ...step.stages.map(stageLine)].join('\n') } };
  });
}

const errorOf = (error: ErrorParts) => ({ kind: 'error' as const, type: error.code, message: failureText(error) });

/**
 * One case per output with decisions. It fails if a decision differs and the output exceeds its tolerance. Within the
 * tolerance, the case passes with a warning in its text.
 *
 * @param backend added to the name if there are two
 */
function decisionCases({ decisions, stages }: Pick<ComparisonReport, 'decisions' | 'stages'>, backend: ComparisonReport['backend'] | null): Case[] {
  return decisions.map((one): Case => {
    const name = `decisions of ${one.stage}${backend === null ? '' : ` (${backend})`}`;
    if (one.differing === 0) return { name };
    const passes = stages.some((stage) => stage.name === one.stage && stage.verdict === 'pass');
    const text = decisionLines([one], () => passes).join('\n');
    if (passes) return { name, output: text };
    return { name, problem: { kind: 'failure', type: 'decisions', message: decisionSentence([one])!, text } };
  });
}

/** @param backend added to the name if there are several */
function stageCase(stage: StageReport, backend: ComparisonReport['backend'] | null): Case {
  const name = backend === null ? stage.name : `${stage.name} (${backend})`;
  if (stage.verdict === 'pass') return { name };
  const { inherited, shapesFit, shape, goldenShape, maxAbs, relative, cosine, quantiles, tolerance, causes, uncomparedBefore, notes } = stage;
  const message = shapesFit
    ? `max abs ${figure(maxAbs)}, relative ${figure(relative)}, cosine ${cosine?.toFixed(6) ?? 'not finite'}`
    : `shape (${shape.join(', ')}), golden (${goldenShape.join(', ')})`;
  const bounds = Object.entries({ rtol: tolerance.rtol, atol: tolerance.atol, max_abs: tolerance.maxAbs, cosine: tolerance.cosine });
  const lines = [
    message,
    `tolerance: ${bounds.filter(([, bound]) => Number.isFinite(bound)).map(([of, bound]) => `${of} ${bound}`).join(', ')}`,
    ...(quantiles ? [`errors: 50 % at most ${figure(quantiles.median)}, 90 % at most ${figure(quantiles.p90)}, 99 % at most ${figure(quantiles.p99)}`] : []),
    ...(inherited ? ['correct on golden input: the error is inherited from an upstream stage'] : []),
    ...causes.map(({ id, evidence }) => `${id}: ${evidence}`),
    ...(uncomparedBefore.length > 0 ? [`not compared before this stage: ${uncomparedBefore.join(', ')}`] : []),
    ...notes.map((note) => `note: ${note}`),
  ];
  return { name, problem: { kind: 'failure', type: inherited ? 'inherited' : 'wrong-by-itself', message, text: lines.join('\n') } };
}

const figure = (value: number | null): string => value?.toExponential(2) ?? 'not finite';

const attribute = (name: string, value: string): string =>
  // XML parsers replace line breaks and tabs in attributes with spaces, unless they are character references.
  ` ${name}="${escaped(value).replaceAll('\t', '&#9;').replaceAll('\n', '&#10;').replaceAll('\r', '&#13;')}"`;

/**
 * Escapes text of an element. XML 1.0 does not allow control characters other than tab and line breaks, even as references,
 * nor lone surrogates. It discourages U+007F to U+009F.
 */
function escaped(text: string): string {
  return text
    // eslint-disable-next-line no-control-regex
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\uFFFE\uFFFF]|\p{Surrogate}/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

import { DOMParser, type Element } from '@xmldom/xmldom';
import { expect, test } from 'vitest';
import { outcomeOf } from '../src/compare/verdict';
import type { Coverage } from '../src/compare/report';
import { VoxlaneError } from '../src/util/errors';
import { report, type StageSketch } from '../test/compare/reports';
import { batchDocument, batchExitStatus, compareAll, lineOf, notRun, summaryOf, type BundleResult } from './compareBatch';
import type { Answer } from './engine/answer';
import { documentOf, type Document, type Runs } from './compareReport';
import type { FoundBundle } from './findBundles';
import { junitText } from './junit';

const WRONG = { maxAbs: 0.5, relative: 0.5, maxRelative: 0.5 };

function answerOf(stages: readonly StageSketch[], uncompared: Coverage['uncompared'] = [], failures: Runs['failures'] = []): Answer<Document> {
  const whole = report('wasm', stages);
  const coverage: Coverage = { compared: stages.length, total: stages.length + uncompared.length, isOutputCompared: true, uncompared };
  const run = { ...whole, coverage, verdict: outcomeOf(whole.verdict === 'fail' ? 'fail' : 'pass', coverage) };
  return { ok: true, result: documentOf({ runs: [run], failures, between: null, notes: [] }) };
}

const PASS = answerOf([{ name: 'a' }, { name: 'y' }]);
const FAIL = answerOf([{ name: 'a' }, { name: 'y', ...WRONG, causes: [{ id: 'scaled', evidence: 'the values are 1.5 times too great', values: {} }] }]);
const INCOMPLETE = answerOf([{ name: 'y' }], [{ name: 'a', mergedWith: null }, { name: 'b', mergedWith: 'y' }]);
const HALF = answerOf([{ name: 'y' }], [], [{ backend: 'webgpu', error: { code: 'gpu-lost', problem: 'The GPU was lost' } }]);
const BROKEN: Answer<Document> = { ok: false, error: { code: 'format', problem: 'bad.zip is no zip', remedy: 'Write it again' } };

const found = (bundle: string): FoundBundle => ({ bundle, graph: null });

async function resultsOf(answers: Readonly<Record<string, Answer<Document> | Error>>): Promise<BundleResult[]> {
  const results: BundleResult[] = [];
  await compareAll(
    Object.keys(answers).map(found),
    ({ bundle }) => {
      const answer = answers[bundle]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    (result) => void results.push(result),
  );
  return results.map((result) => ({ ...result, seconds: 0.5 }));
}

test.each<[string, Record<string, Answer<Document>>, number]>([
  ['all pass', { a: PASS, b: PASS }, 0],
  ['one fails', { a: PASS, b: FAIL }, 1],
  ['one is incomplete', { a: PASS, b: INCOMPLETE }, 2],
  ['one cannot be read', { a: BROKEN, b: PASS }, 2],
  ['one backend did not run for one', { a: HALF }, 2],
  ['one fails and one cannot be read', { a: BROKEN, b: FAIL }, 1],
])('exit status of several bundles: %s', async (_, answers, status) => {
  expect(batchExitStatus(await resultsOf(answers))).toBe(status);
});

test('the comparison continues after a bundle that fails, is rejected or throws', async () => {
  const thrown = new VoxlaneError({ code: 'worker-failed', problem: 'The worker ended' });
  const results = await resultsOf({ a: FAIL, b: BROKEN, c: thrown, d: new Error('absent.zip does not exist'), e: PASS });
  expect(results.map(({ bundle, status, error }) => [bundle, status, error?.problem ?? null])).toEqual([
    ['a', 'fail', null],
    ['b', 'error', 'bad.zip is no zip'],
    ['c', 'error', 'The worker ended'],
    ['d', 'error', 'absent.zip does not exist'],
    ['e', 'pass', null],
  ]);
});

test('an error while the process ends stops the comparison and leaves the remaining bundles unrun', async () => {
  const results: BundleResult[] = [];
  const bundles = ['a', 'b', 'c'].map(found);
  const work = compareAll(bundles, ({ bundle }) => (bundle === 'a' ? Promise.resolve(PASS) : Promise.reject(new Error('closed'))), (result) => void results.push(result), () => true);
  await expect(work).rejects.toThrow('closed');
  const all = [...results, ...notRun(bundles, results)];
  expect(all.map(({ status }) => status)).toEqual(['pass', 'not-run', 'not-run']);
  expect(batchExitStatus(all)).toBe(2);
});

test('prints one line per bundle and a summary', async () => {
  const results = await resultsOf({ 'a.zip': PASS, 'b.zip': FAIL, 'c.zip': INCOMPLETE, 'd.zip': BROKEN });
  expect(results.map(lineOf)).toEqual([
    'pass       a.zip: model on wasm: pass (0.5 s)',
    'fail       b.zip: model on wasm: fail, first divergence y, 1 of 2 stages fail, cause scaled (0.5 s)',
    'incomplete c.zip: model on wasm: incomplete, compared 1 of 3 stages, and 1 as part of another (0.5 s)',
    'error      d.zip: bad.zip is no zip. Write it again (0.5 s)',
  ]);
  expect(lineOf({ ...results[0]!, graph: 'a.onnx' })).toContain('a.zip with a.onnx: ');
  expect(summaryOf(results, [{ path: 'x', reason: 'is not a golden bundle' }], 2.04)).toBe('4 bundles: 1 pass, 1 fail, 1 incomplete, 1 error; 1 file skipped (2.0 s)');
});

test('the JSON report has counts, the report or error of each bundle, and the skipped files', async () => {
  const skipped = [{ path: 'x', reason: 'is not a golden bundle' }];
  const document = JSON.parse(JSON.stringify(batchDocument(await resultsOf({ a: FAIL, b: BROKEN }), skipped, 3))) as unknown;
  expect(document).toMatchObject({
    exitStatus: 1,
    counts: { pass: 0, fail: 1, incomplete: 0, error: 1, 'not-run': 0 },
    bundles: [
      { bundle: 'a', graph: null, status: 'fail', report: { verdict: 'fail', firstDivergence: 'y' }, error: null },
      { bundle: 'b', status: 'error', report: null, error: { code: 'format' } },
    ],
    skipped,
  });
});

/** Parses the report, which must be well-formed XML. */
function parsed(results: readonly BundleResult[]): Element {
  const errors: string[] = [];
  // Warnings concern U+FFFD, which replaces characters that XML does not allow.
  const parser = new DOMParser({ onError: (level, message) => level !== 'warning' && errors.push(message) });
  const root = parser.parseFromString(junitText(results), 'text/xml').documentElement!;
  expect(errors).toEqual([]);
  return root;
}

const children = (element: Element, name: string): Element[] => Array.from(element.getElementsByTagName(name));
const attributes = (element: Element, ...names: string[]): (string | null)[] => names.map((name) => element.getAttribute(name));
const COUNTS = ['tests', 'failures', 'errors', 'skipped'];

test('JUnit: one suite per bundle, one case per stage, measures of a failure', async () => {
  const root = parsed(await resultsOf({ 'a.zip': PASS, 'b.zip': FAIL }));
  expect(attributes(root, ...COUNTS, 'time')).toEqual(['4', '1', '0', '0', '1.000']);
  const [passing, failing] = children(root, 'testsuite');
  expect(attributes(passing!, 'name', ...COUNTS)).toEqual(['a.zip', '2', '0', '0', '0']);
  expect(attributes(failing!, 'name', ...COUNTS)).toEqual(['b.zip', '2', '1', '0', '0']);
  expect(children(failing!, 'testcase').map((one) => attributes(one, 'classname', 'name'))).toEqual([['b.zip', 'a'], ['b.zip', 'y']]);
  const [failure, ...others] = children(failing!, 'failure');
  expect(others).toEqual([]);
  expect(failure!.getAttribute('message')).toContain('max abs 5.00e-1, relative 5.00e-1');
  expect(failure!.textContent).toContain('scaled: the values are 1.5 times too great');
});

test('JUnit: unreadable and incomplete bundles are errors, uncompared stages are skipped', async () => {
  const root = parsed(await resultsOf({ 'bad.zip': BROKEN, 'few.zip': INCOMPLETE, 'gpu.zip': HALF }));
  expect(attributes(root, ...COUNTS)).toEqual(['7', '0', '3', '2']);
  expect(children(root, 'error').map((one) => attributes(one, 'type', 'message'))).toEqual([
    ['format', 'bad.zip is no zip. Write it again'],
    ['incomplete', 'compared 1 of 3 stages, and 1 as part of another'],
    ['gpu-lost', 'The GPU was lost'],
  ]);
  expect(children(root, 'skipped').map((one) => one.getAttribute('message'))).toEqual(['no value of the graph is known for this stage', 'the exporter merged this stage with y']);
  expect(attributes(parsed(notRun([found('late.zip')], [])), ...COUNTS)).toEqual(['1', '0', '0', '1']);
});

test('JUnit: names with markup, line breaks and characters that XML does not allow', async () => {
  const name = 'a<b> & "c"\t\n\r\0\u001b[31m\u0085\uD800\uFFFE😀';
  const [result] = await resultsOf({ [name]: answerOf([{ name, ...WRONG, notes: [name] }]) });
  const root = parsed([result!]);
  const kept = 'a<b> & "c"\t\n\r\uFFFD\uFFFD[31m\uFFFD\uFFFD\uFFFD😀';
  expect(attributes(children(root, 'testcase')[0]!, 'classname', 'name')).toEqual([kept, kept]);
  expect(children(root, 'failure')[0]!.textContent).toContain('note: a<b> & "c"');
  // eslint-disable-next-line no-control-regex
  expect(junitText([result!])).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\uFFFE]|\p{Surrogate}/u);
});

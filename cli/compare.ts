/**
 * Command line: a model against its golden bundle, stage by stage.
 *
 *     npm run --silent compare -- BUNDLE [--model FILE.onnx] [--backend webgpu|wasm|both] [--json]
 *     npm run --silent compare -- --list MODEL.onnx [BUNDLE]
 */
import type { BackendName } from '../src/compare/report';
import { isShipped } from '../src/store/shipped';
import { failureText, giveFiles, openComparePage, type Answer } from './comparePage';
import { HELP, parseCommand, type CompareCommand } from './compareOptions';
import { describe, documentOf, exitStatusOf, uncomparedLines, type Document } from './compareReport';
import { requirePath } from './inputs';
import { listText } from './listGraph';
import { print, say } from './output';
import { runCommand } from './script';

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  if (command.list) return list(command);
  const answer = await compare(command);
  if (!answer.ok) {
    if (command.json) await print(`${JSON.stringify({ error: answer.error }, null, 2)}\n`);
    say(`compare: ${failureText(answer.error)}`);
    return 2;
  }
  const { result } = answer;
  for (const line of uncomparedLines(result.coverage)) say(`compare: ${line}`);
  for (const note of result.notes) say(`compare: ${note}`);
  for (const { backend, error } of result.failures) say(`compare: ${backend}: ${failureText(error)}`);
  await print(command.json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
  return exitStatusOf(result);
}

async function list({ files, json }: CompareCommand): Promise<number> {
  const shipped = files.length === 1 && isShipped(files[0]!) ? files[0] : null;
  if (shipped === null) files.forEach(requirePath);
  const engine = await openComparePage(['wasm']);
  const { page } = engine;
  try {
    if (shipped === null) await giveFiles(page, files);
    const answer = await page.evaluate((id) => voxlane.listFiles(id), shipped);
    if (json) await print(`${JSON.stringify(answer.ok ? answer.result : { error: answer.error }, null, 2)}\n`);
    else if (answer.ok) await print(listText(answer.result));
    if (!answer.ok) say(`compare: ${failureText(answer.error)}`);
    return answer.ok ? 0 : 2;
  } finally {
    await engine.close();
  }
}

async function compare({ files, model, backend, map, tolerance, thorough }: CompareCommand): Promise<Answer<Document>> {
  const bundle = files[0]!;
  const shipped = isShipped(bundle) && model === undefined ? bundle : null;
  const paths = shipped ? [] : [bundle, ...(model === undefined ? [] : [model])];
  if (isShipped(bundle) && model !== undefined) {
    throw new Error(`the goldens of ${bundle} go with its own graph; name public/goldens/${bundle}.zip to test another`);
  }
  paths.forEach(requirePath);
  const backends: BackendName[] = backend === 'both' ? ['wasm', 'webgpu'] : [backend];
  const engine = await openComparePage(backends);
  const { page } = engine;
  try {
    await giveFiles(page, paths);
    const answer = await page.evaluate((request) => voxlane.compareFiles(request), { shipped, map, backends, tolerance, thorough });
    if (!answer.ok) return answer;
    const { runs, failures } = answer.result;
    return runs.length === 0 ? { ok: false, error: failures[0]!.error } : { ok: true, result: documentOf(answer.result) };
  } finally {
    await engine.close();
  }
}

await runCommand('compare', 2, main);

/**
 * Compares models of other projects, on the WASM runtime in Node, with what onnxruntime in Python computes inside of them:
 *
 *     python models/package_models.py FOLDER
 *     npm run package-models -- FOLDER
 *
 * Exit status 1 if a stage fails or was not compared.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { runBundle } from '../test/compare/caseRun';
import { countText, coverageOf, outcomeOf } from '../src/compare/coverage';
import { readGoldens } from '../src/compare/files/goldenFiles';
import { graphInfo, parseOnnx } from '../src/onnx/model';

ort.env.logLevel = 'fatal';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run package-models -- FOLDER, as written by models/package_models.py');
  process.exit(2);
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.npz')).sort()) {
  const name = file.replace(/\.npz$/, '');
  const graph = readFileSync(join(folder, `${name}.onnx`));
  const inputs = graphInfo(parseOnnx(graph, name)).inputs.map((input) => input.name);
  const bundle = readGoldens([{ name: file, bytes: readFileSync(join(folder, file)) }], [], inputs);
  const { plan, run } = await runBundle(bundle, graph);
  const coverage = coverageOf(plan);
  const verdict = outcomeOf(run.verdict, coverage);
  console.log(`${name}: ${verdict}, compared ${countText(coverage)}`);
  for (const stage of run.stages.filter((each) => each.verdict === 'fail')) {
    console.log(`  ${stage.name}: relative error ${stage.relative}, greatest ${stage.maxAbs}`);
  }
  for (const { name: stage } of coverage.uncompared) console.log(`  ${stage}: not compared`);
  if (verdict !== 'pass' || coverage.compared < coverage.total) process.exitCode = 1;
}

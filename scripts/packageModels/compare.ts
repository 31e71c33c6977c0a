/**
 * Compares models of other projects on the WASM runtime in Node with intermediate values from onnxruntime in Python:
 *
 *     python models/package_models.py FOLDER
 *     npm run package-models -- FOLDER [--thorough] [--faults]
 *
 * `--faults` plants 21 faults, one at a time. Exit status 1 if a stage fails or was not compared, if a cause is found in a correct
 * model, or if a fault is not found in the right stage.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web';
import { runModel } from '../../test/compare/caseRun';
import { countText, coverageOf, outcomeOf } from '../../src/compare/verdict';
import { FAULTS } from './faults';
import { readPackageModel } from './read';

ort.env.logLevel = 'fatal';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { thorough: { type: 'boolean', default: false }, faults: { type: 'boolean', default: false } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('usage: npm run package-models -- FOLDER [--thorough] [--faults], with a folder written by models/package_models.py');
  process.exit(2);
}

async function compareCorrect(name: string): Promise<void> {
  const { model, bundle } = await readPackageModel(folder!, name);
  const { plan, run } = await runModel(bundle, model, { thorough: values.thorough });
  const coverage = coverageOf(plan);
  const verdict = outcomeOf(run.verdict, coverage);
  const causes = run.stages.flatMap((stage) => stage.causes.map(({ id }) => `${stage.name}: ${id}`));
  console.log(`${name}: ${verdict}, compared ${countText(coverage)}, ${causes.length} causes`);
  for (const stage of run.stages.filter((each) => each.verdict === 'fail')) {
    console.log(`  ${stage.name}: relative error ${stage.relative}, greatest ${stage.maxAbs}`);
  }
  for (const cause of causes) console.log(`  ${cause}`);
  for (const { name: stage } of coverage.uncompared) console.log(`  ${stage}: not compared`);
  if (verdict !== 'pass' || coverage.compared < coverage.total || causes.length > 0) process.exitCode = 1;
}

async function compareFaults(): Promise<void> {
  let numPlaces = 0;
  let numCauses = 0;
  for (const { title, name, stage, causes, change } of FAULTS) {
    const { model, bundle } = await readPackageModel(folder!, name);
    const { run } = await runModel(bundle, change(model));
    const first = run.stages.find((each) => each.name === run.firstDivergence);
    const found = first?.causes.map(({ id }) => id) ?? [];
    const isPlace = first?.name.endsWith(stage) ?? false;
    const isCause = found.some((id) => causes.includes(id));
    numPlaces += Number(isPlace);
    numCauses += Number(isCause);
    console.log(`${isPlace ? 'right' : 'WRONG'} stage, ${isCause ? 'right' : 'no right'} cause: ${name}, ${title}: ${first?.name ?? 'no divergence'} (${found.join(', ') || 'no cause'})`);
  }
  console.log(`correct first divergence for ${numPlaces} of ${FAULTS.length}, correct cause for ${numCauses}`);
  if (numPlaces < FAULTS.length) process.exitCode = 1;
}

if (values.faults) await compareFaults();
else for (const file of readdirSync(folder).filter((name) => name.endsWith('.npz')).sort()) await compareCorrect(file.replace(/\.npz$/, ''));

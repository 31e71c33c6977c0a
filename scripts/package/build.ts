/**
 * Builds both npm packages in their folders under `packages`, ready for `npm pack`.
 *
 * `--update-api` writes the API reports. Without it, the reports must match the exports.
 */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkApi } from './apiReport';
import { buildAssets } from './assets';
import { checkDocs } from './checkDocs';
import { buildCommand, buildForNode, buildLibrary, buildTypes, buildWorkers } from './code';
import { writeCustomElements } from './customElements';
import { CODE_PACKAGE, ENTRIES, ROOT } from './entries';

const start = performance.now();
rmSync(join(CODE_PACKAGE, 'dist'), { recursive: true, force: true });
for (const path of Object.values(ENTRIES)) {
  if (!existsSync(join(ROOT, path))) throw new Error(`the entry ${path} is missing`);
}
checkDocs();
await buildWorkers();
await buildLibrary();
await buildForNode();
await buildCommand();
await buildTypes();
buildAssets();
writeCustomElements();
for (const file of ['LICENSE', 'THIRD_PARTY.md', 'CHANGELOG.md']) copyFileSync(join(ROOT, file), join(CODE_PACKAGE, file));
copyFileSync(join(ROOT, 'LICENSE'), join(ROOT, 'packages/voxlane-assets/LICENSE'));
const findings = checkApi(process.argv.includes('--update-api'));
for (const { entry, problem } of findings) console.error(`${entry}: ${problem}`);
if (findings.length > 0) process.exitCode = 1;
console.log(`both packages were built in packages/ in ${((performance.now() - start) / 1000).toFixed(1)} s`);

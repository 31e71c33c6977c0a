/**
 * Has Lhotse and NeMo read what `corpus merge` writes, and stores what they have read in cli/corpus/fixtures/readers.json.
 * A unit test checks that `corpus merge` still writes the same bytes.
 *
 *     python3 -m venv .venv && .venv/bin/pip install lhotse urllib3
 *     pip download --no-deps nemo_toolkit && unzip nemo_toolkit-*.whl -d nemo
 *     npx tsx scripts/corpusReaders.ts .venv/bin/python nemo
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MERGED_FILES, mergeCorpus } from '../cli/corpus/mergeCorpus';
import { writeFinishedCorpus } from '../test/corpus/finishedCorpus';

const READINGS = 'cli/corpus/fixtures/readers.json';

const [python, nemo] = process.argv.slice(2);
if (python === undefined || nemo === undefined) throw new Error('expected the path of a Python with Lhotse, and of the unpacked wheel of nemo_toolkit');

const folder = mkdtempSync(join(tmpdir(), 'voxlane-readers-'));
try {
  const out = join(folder, 'out');
  writeFinishedCorpus(folder);
  await mergeCorpus({ folder, out, allowMissing: false, allowMixed: false });
  const printed = execFileSync(python, ['scripts/corpusReaders.py', out, nemo], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const read = JSON.parse(printed.trimEnd().split('\n').at(-1)!) as object;
  // The folder is different each time.
  const bytes = (name: string): string => readFileSync(join(out, name), 'utf8').replaceAll(out, 'OUT');
  const names = MERGED_FILES.filter((name) => name !== 'results.jsonl');
  const sha256 = Object.fromEntries(names.map((name) => [name, createHash('sha256').update(bytes(name)).digest('hex')]));
  writeFileSync(READINGS, `${JSON.stringify({ sha256, ...read }, null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The packed package in Bun and Deno. Each is skipped if its program is absent. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { sampleWav } from '../audio/sampleWav';
import { installPackages } from '../packages/pack';
import { runIn } from '../packages/runIn';
import { itUnless } from '../skips';

/** Program and first arguments, by the variable that can name the program. */
const RUNTIMES = [
  { name: 'bun', program: process.env.VOXLANE_BUN ?? 'bun', args: [] },
  { name: 'deno', program: process.env.VOXLANE_DENO ?? 'deno', args: ['run', '--allow-all'] },
] as const;

const PROGRAM = `import { Diarizer } from 'voxlane';
import { readBundle } from 'voxlane/compare';
import { parseRttm, toRttm } from 'voxlane/formats';
import { diarizationErrorRate } from 'voxlane/score';
import { VoxlaneDiarizerElement } from 'voxlane/widget';

const turns = parseRttm(toRttm([{ startSeconds: 0, endSeconds: 1, speaker: 'a' }], 'talk')).get('talk');
const { der } = diarizationErrorRate(turns, turns);
const types = [readBundle, VoxlaneDiarizerElement].map((each) => typeof each);
const diarizer = await Diarizer.create({ preset: 'fast', backend: 'wasm' });
const result = await diarizer.diarize('clip.wav');
const code = await diarizer.diarize('absent.wav').catch((error) => error.code);
diarizer.dispose();
console.log(JSON.stringify({ der, types, speakers: new Set(result.turns.map(({ speaker }) => speaker)).size, code }));
`;

let folder: string;

beforeAll(async () => {
  folder = join(await installPackages(), 'other-runtimes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  // Both speakers of the sample.
  writeFileSync(join(folder, 'clip.wav'), sampleWav(9, 4));
}, 600_000);

for (const { name, program, args } of RUNTIMES) {
  const isAbsent = spawnSync(program, ['--version']).status !== 0;
  itUnless(isAbsent && `${name} is not installed; VOXLANE_${name.toUpperCase()} can name its program`)(`${name}: imports every entry, reads formats, scores, diarizes and ends`, async () => {
    const { stdout } = await runIn(folder, program, [...args, 'program.mjs']);
    expect(JSON.parse(stdout)).toEqual({ der: 0, types: ['function', 'function'], speakers: 2, code: 'audio-missing' });
  });
}

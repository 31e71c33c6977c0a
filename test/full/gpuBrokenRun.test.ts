/**
 * A GPU that breaks in the middle of a recording: a map of the network becomes zeros from the second window on, which later
 * layers would turn into plausible values. The turns are those of a run on WASM, and the result has the reason. With the packed
 * package in Node, on Dawn.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { parseRttm } from '../../src/formats/rttm';
import { sampleWav } from '../audio/sampleWav';
import { installDawn } from '../gpu/dawn';
import type { ThreadFault } from '../gpu/faultThread';
import { installPackages, ROOT } from '../packages/pack';
import { runIn } from '../packages/runIn';
import { describeUnless } from '../skips';

const missing = await installDawn();

type Fault = Omit<ThreadFault, 'dawn'>;
const FAULTS: readonly (readonly [name: string, fault: Fault, reason: string])[] = [
  ['the first recurrent layer', { network: 'segmentation', afterPasses: 1, error: { kernel: 'lstm', find: 'out[row] = state;', replace: 'out[row] = 0f;' }, only: 0 }, 'classifier'],
  ['the gates of the 30th layer', { network: 'embedding', afterPasses: 1, error: { kernel: 'gates', find: '1f / (1f + exp(clamp(-sum, -80f, 80f)))', replace: '0f' }, only: 29 }, 'embedding'],
];

/** What the program prints for each run. */
interface Run {
  readonly rttm: string;
  readonly backend: { readonly name: string; readonly reason: string };
}

const PROGRAM = `import { setEnvironmentData } from 'node:worker_threads';
import { Diarizer } from 'voxlane';
import { toRttm } from 'voxlane/formats';

const run = async (backend) => {
  const diarizer = await Diarizer.create({ preset: 'campplus', speed: 'exact', backend, trustGpu: backend === 'webgpu', batchWindows: 1 });
  const result = await diarizer.diarize('clip.wav');
  diarizer.dispose();
  return { rttm: toRttm(result.turns, 'clip'), backend: result.backend };
};
const runs = [await run('wasm')];
for (const fault of JSON.parse(process.argv[2])) {
  setEnvironmentData('voxlane GPU fault', { dawn: import.meta.resolve('webgpu'), ...fault });
  runs.push(await run('webgpu'));
}
console.log(JSON.stringify(runs));
`;

describeUnless(missing)('a GPU that breaks from the second window on', () => {
  let wasm: Run;
  let runs: Run[];
  let stderr: string;
  beforeAll(async () => {
    const folder = join(await installPackages(), 'gpu-broken-run');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    await build({ entryPoints: [join(ROOT, 'test/gpu/faultThread.ts')], bundle: true, format: 'esm', platform: 'node', outfile: join(folder, 'faultThread.mjs') });
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    // Two windows, with both speakers of the sample.
    writeFileSync(join(folder, 'clip.wav'), sampleWav(7, 11));
    const faults = JSON.stringify(FAULTS.map(([, fault]) => fault));
    // The engine passes no flags to its threads, but they read NODE_OPTIONS. The product refuses software adapters without the variable.
    const environment = { NODE_OPTIONS: `--import=${join(folder, 'faultThread.mjs')}`, VOXLANE_SOFTWARE_GPU: '1' };
    const output = await runIn(folder, process.execPath, ['program.mjs', faults], environment);
    ({ stderr } = output);
    [wasm, ...runs] = JSON.parse(output.stdout) as [Run, ...Run[]];
  }, 600_000);

  test.each(FAULTS.map(([name, { network }, stage], index) => [name, network, stage, index] as const))('zeros in %s: the turns of WASM, with the reason', (_, network, stage, index) => {
    expect(stderr).toContain(`the ${network} is wrong from pass 2 on`);
    expect(parseRttm(wasm.rttm).get('clip')!.length).toBeGreaterThan(2);
    expect(runs[index]!.rttm).toBe(wasm.rttm);
    expect(runs[index]!.backend.name).toBe('wasm');
    expect(runs[index]!.backend.reason).toContain(`WebGPU failed its self-check: ${stage}`);
  });
});

/**
 * Compares Voxlane with sherpa-onnx: real-time factor, error rate, and the ratio of their times.
 *
 *   npm run --silent bench:peers -- [FILE.wav…] [--rounds N] [--systems …] [--presets …] [--backends …] [--json]
 *
 * The systems alternate, so other load on the machine affects all of them. `--help` describes the measurements.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { say } from '../cli/output';
import { runCommand } from '../cli/script';
import { messageOf } from '../src/util/errors';
import { HELP, parseCommand, type PeersCommand } from './peers/options';
import { printRuns, reportOf, systemName } from './peers/report';
import { derOf, type PeerRun } from './peers/runs';
import { openSherpa } from './peers/sherpa';
import type { Backend, MeasuredSystem } from './peers/system';
import { hasHardwareAdapter, openVoxlane } from './peers/voxlane';

const WARM_UP_SECONDS = 30;

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const systems: MeasuredSystem[] = [];
  try {
    await openAll(command, systems);
    const runs: PeerRun[] = [];
    for (const file of command.files) runs.push(...(await measure(file, command.rounds, systems)));
    if (command.json) console.log(JSON.stringify(reportOf(runs), null, 2));
    else printRuns(runs);
    return 0;
  } finally {
    await Promise.all(systems.map((system) => system.close()));
  }
}

/**
 * Opens the systems and runs each once as warm-up.
 *
 * @param systems receives each opened system, which the caller must close even after an error
 */
async function openAll({ files, systems: names, presets, backends }: PeersCommand, systems: MeasuredSystem[]): Promise<void> {
  const [file = ''] = files;
  const add = async (opening: Promise<MeasuredSystem>): Promise<void> => {
    const system = await opening;
    try {
      say(`warming up ${systemName(system)} …`);
      await system.run(file, WARM_UP_SECONDS);
    } catch (error) {
      await system.close();
      throw error;
    }
    systems.push(system);
  };
  if (names.includes('sherpa-onnx')) await add(openSherpa());
  if (!names.includes('voxlane')) return;
  for (const backend of backends ?? (await availableBackends())) {
    for (const preset of presets) {
      try {
        await add(openVoxlane(backend, preset, say));
      } catch (error) {
        // A GPU that was not explicitly requested can fail its self-check.
        if (backends !== null || backend === 'wasm') throw error;
        say(`skipping ${backend}: ${messageOf(error)}`);
      }
    }
  }
}

async function availableBackends(): Promise<readonly Backend[]> {
  return (await hasHardwareAdapter(say)) ? ['wasm', 'webgpu'] : ['wasm'];
}

async function measure(file: string, rounds: number, systems: readonly MeasuredSystem[]): Promise<PeerRun[]> {
  const name = basename(file, extname(file));
  const referencePath = file.slice(0, file.length - extname(file).length) + '.rttm';
  const reference = existsSync(referencePath) ? readFileSync(referencePath, 'utf8') : null;
  const runs: PeerRun[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const measured of systems) {
      const { system, backend, preset } = measured;
      const { wallSeconds, durationSeconds, turns, threads } = await measured.run(file, null);
      say(`${file}, round ${round}: ${systemName(measured)} took ${wallSeconds.toFixed(1)} s`);
      const rtf = wallSeconds / durationSeconds;
      const der = reference === null ? null : derOf(reference, turns, name);
      runs.push({ file, round, system, backend, preset, threads, rtf, der });
    }
  }
  return runs;
}

await runCommand('bench:peers', 1, main);

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CAMPPLUS } from '../../src/engine/settings';
import { writeSherpaModels } from './sherpaModels';
import type { SherpaReply, SherpaRequest } from './sherpaProcess';
import type { MeasuredSystem, SystemRun } from './system';

/**
 * Starts sherpa-onnx with the weights of Voxlane's models.
 *
 * @throws Error if it cannot open them
 */
export async function openSherpa(): Promise<MeasuredSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const child = fork(fileURLToPath(new URL('sherpaProcess.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    // Redirect output to stderr, because stdout is for the figures.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const close = async (): Promise<void> => {
    if (isRunning(child)) {
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ask(child, { kind: 'open', models: writeSherpaModels(CAMPPLUS.segmentation, CAMPPLUS.embedding, folder) });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    system: 'sherpa-onnx',
    backend: 'wasm',
    preset: null,
    run: async (file, durationSeconds) => (await ask(child, { kind: 'diarize', file, durationSeconds }))!,
    close,
  };
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** One request at a time. */
async function ask(child: ChildProcess, request: SherpaRequest): Promise<SystemRun | null> {
  let stopListening = (): void => undefined;
  const reply = await new Promise<SherpaReply>((resolve) => {
    const onExit = (): void => {
      resolve({ ok: false, message: 'The process of sherpa-onnx ended; see the output above.' });
    };
    child.once('message', resolve).once('exit', onExit);
    stopListening = () => void child.off('message', resolve).off('exit', onExit);
    if (isRunning(child)) child.send(request);
    else onExit();
  });
  stopListening();
  if (!reply.ok) throw new Error(reply.message);
  return reply.run;
}

/**
 * A worker of `corpus run` with a simulated engine. The text of a file selects what happens:
 *
 * - `fail CODE`: an error with this code
 * - `exit`: the process ends
 * - `kill`: the process is killed, as by the kernel if memory is exhausted
 * - `once WORDS`: the words apply to the first attempt only; the second finds speech
 * - `empty`: no turns
 * - `wait MS`: speech, after this time
 * - `hang`: no result and no progress; `STUB_STALL_MS` is the time limit
 * - otherwise: speech
 *
 * The log file in `STUB_LOG` gets a line per attempt: its options.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serveWorker, type EngineModule } from '../../cli/corpus/workerServer';
import type { DiarizationResult } from '../../src/index';
import { VoxlaneError, type ErrorCode } from '../../src/util/errors';

const engine: EngineModule = {
  Diarizer: {
    create: (settings) => {
      if (settings.hub) throw new VoxlaneError({ code: 'model-missing', problem: 'The hub has no model' });
      return Promise.resolve({
        preset: 'campplus',
        backend: { name: 'wasm' },
        diarize: async (path, options) => {
          const { STUB_LOG } = process.env;
          if (STUB_LOG !== undefined) appendFileSync(STUB_LOG, `${JSON.stringify({ file: basename(path), ...options })}\n`);
          const isEmpty = (await act(path, readFileSync(path, 'utf8').trim().split(' '))) === 'empty';
          return resultOf(isEmpty);
        },
      });
    },
  },
};

async function act(path: string, [word, ...others]: readonly string[]): Promise<string> {
  switch (word) {
    case 'fail': throw new VoxlaneError({ code: others[0] as ErrorCode, problem: 'A simulated failure' });
    case 'exit': return process.exit(7);
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return delay(60_000, '');
    case 'hang': return new Promise(() => undefined);
    case 'wait': return delay(Number(others[0]), 'speech');
    case 'once': {
      if (existsSync(`${path}.tried`)) return 'speech';
      writeFileSync(`${path}.tried`, '');
      return act(path, others);
    }
    default: return word ?? '';
  }
}

function resultOf(isEmpty: boolean): DiarizationResult {
  const turns = isEmpty ? [] : [{ startSeconds: 0, endSeconds: 1, speaker: 'SPEAKER_00', confidence: 1 }];
  const result = {
    durationSeconds: 2,
    turns,
    exclusiveTurns: turns,
    speakers: isEmpty ? [] : [{ label: 'SPEAKER_00', centroid: new Float32Array([1]), embeddingModel: 'a', speechSeconds: 1 }],
    timings: { decode: Math.random() },
    backend: { name: 'wasm', adapter: null, threads: 1, reason: 'simulated', selfCheck: null },
  };
  // The other fields do not matter here.
  return result as unknown as DiarizationResult;
}

const { STUB_STALL_MS } = process.env;
serveWorker(() => Promise.resolve(engine), STUB_STALL_MS === undefined ? undefined : Number(STUB_STALL_MS));

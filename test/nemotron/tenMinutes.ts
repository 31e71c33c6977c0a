/** A generated conversation of ten minutes, and what runs of it with {@link speechFile} are compared by. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { makeConversations } from '../../cli/evaluate/conversations';
import type { StreamNetwork } from '../../src/sortformer/network';
import type { IndexedTurn } from '../../src/timeline/turns';
import { NEMOTRON } from '../seededNemotron';
import { hasShared, SHARED, SHARED_MISSING } from '../shared';
import { runOffline } from './offlineRun';

export const MINUTES = 10;
/** Its speakers are not those that the head was trained with. */
const CONVERSATION = { name: 'ten_minutes', speakers: ['1688', '1998', '2033', '2414', '2609'], minutes: MINUTES, seed: 22 };

export interface TenMinutes {
  /** 16 kHz, ±1. */
  readonly samples: Float32Array;
  readonly rttm: string;
}

/** Generates the conversation in a folder that is deleted after the tests of the file. @returns a function that reads it, or why it cannot be generated */
export function tenMinutes(): { readonly read: () => TenMinutes } | { readonly reason: string } {
  if (!process.env.VOXLANE_FULL) return { reason: 'only in the full tests' };
  if (!hasShared) return { reason: SHARED_MISSING };
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  afterAll(() => { rmSync(folder, { recursive: true }); });
  const generator = join(SHARED, 'conversations');
  const list = join(folder, 'list.json');
  writeFileSync(list, JSON.stringify([CONVERSATION]));
  const script = join(generator, 'make.py');
  try {
    const made = makeConversations({ script, args: (out) => [join(generator, 'speech'), out, '--list', list], sources: [script, list] }, folder, () => undefined);
    return { read: () => ({ samples: samplesOf(join(made, `${CONVERSATION.name}.wav`)), rttm: readFileSync(join(made, `${CONVERSATION.name}.rttm`), 'utf8') }) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

function samplesOf(path: string): Float32Array {
  const file = readFileSync(path);
  const start = file.indexOf('data') + 8;
  return Float32Array.from({ length: (file.length - start) / 2 }, (_, i) => file.readInt16LE(start + 2 * i) / 32768);
}

export interface Run {
  /** Axes (mel frame, output). */
  readonly logits: Float32Array;
  /** With the default threshold, without minimum durations. */
  readonly turns: readonly IndexedTurn[];
}

/** Runs the recording in offline mode, and releases the network. */
export async function runOnce(network: StreamNetwork & { release(): Promise<void> }, samples: Float32Array): Promise<Run> {
  const { logits, turns: [turns = []] } = await runOffline(network, NEMOTRON, samples);
  await network.release();
  return { logits, turns };
}

/** Number of decisions per 10,000 frames that differ between two runs. @param numSpeakers outputs of a frame */
export function changesPer10000(first: Run, second: Run, numSpeakers: number): number {
  const changed = first.logits.reduce((sum, logit, i) => (logit > 0 === second.logits[i]! > 0 ? sum : sum + 1), 0);
  return (10_000 * changed * numSpeakers) / first.logits.length;
}

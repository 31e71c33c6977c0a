/** Makes a plan: reads the inputs, checks every entry, and writes the manifest. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AtomicFile, removeTemporaryFiles } from './atomicFile';
import { balancedShards } from './balance';
import { type CheckedSource, SourceChecker } from './checkSource';
import { jsonLine, textLines } from './jsonLines';
import { corpusFiles, type Entry, LAYOUT_VERSION, type Plan, type Refusal } from './layout';
import type { Templates } from './listManifest';
import { DistinctNames, safeName, stemOf } from './names';
import { requirePlanFolder } from './ownFiles';
import { readInputs } from './readInputs';
import { isRefusal, type Read, Refused, type Source } from './source';

/** Files that are opened at the same time. */
const CONCURRENT_CHECKS = 16;

export interface PlanRequest {
  readonly inputs: readonly string[];
  readonly folder: string;
  readonly numShards: number;
  readonly templates: Templates;
  /** Called after each input entry. */
  readonly onEntry?: (numEntries: number, numRefused: number) => void;
  /** Called for each refused entry. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

export interface PlanOutcome {
  readonly plan: Plan;
  /** Files in folders that do not have the ending of a recording. */
  readonly otherFiles: number;
}

/** An entry between the two passes. Names and shards are known only after the last entry. */
interface Draft extends CheckedSource {
  /** Name of the recording, before it is made distinct. */
  readonly base: string;
  /** Name that the input gives to a segment. */
  readonly given?: string;
  /** Name that the input gives to the recording. */
  readonly givenRecording?: string;
}

/**
 * Memory grows by some hundred bytes per entry: its name, its path and its duration. Everything else is on the disk.
 *
 * @throws Error with a one-line message if the folder cannot be written, or has files that are not from a plan
 */
export async function makePlan({ inputs, folder, numShards, templates, onEntry, onRefusal }: PlanRequest): Promise<PlanOutcome> {
  const files = corpusFiles(folder);
  const draftPath = join(folder, '.draft.jsonl');
  await requirePlanFolder(inputs, folder);
  const own = [files.manifest, files.refused, files.plan, draftPath].map((path) => basename(path));
  await removeTemporaryFiles(folder, (name) => own.includes(name));
  const names = new DistinctNames();
  const durations = new GrowingArray();
  const leftOut = { otherFiles: 0 };
  const refused = await AtomicFile.create(files.refused);
  let numRefused = 0;
  try {
    const drafts = await AtomicFile.create(draftPath);
    for await (const checked of checkedInOrder(readInputs(inputs, templates, leftOut))) {
      if (isRefusalRow(checked)) {
        numRefused++;
        onRefusal?.(checked);
        await refused.write(jsonLine(checked));
      } else {
        names.announce(checked.base, checked.path);
        durations.push(checked.durationSeconds);
        await drafts.write(jsonLine(checked));
      }
      onEntry?.(durations.length, numRefused);
    }
    await drafts.close();
    const shards = balancedShards(durations.values(), numShards);
    const { manifest, ...totals } = await writeManifest(files.manifest, draftPath, names, shards, numShards);
    const plan: Plan = { version: LAYOUT_VERSION, inputs: [...inputs], numShards, numEntries: durations.length, numRefused, ...totals };
    const planFile = await AtomicFile.create(files.plan);
    await planFile.write(`${JSON.stringify(plan, null, 2)}\n`);
    // Write everything to the disk before the first rename, so that a full disk leaves the previous plan unchanged.
    const written = [refused, manifest, planFile];
    try {
      for (const file of written) await file.seal();
      // A folder counts as planned if it has this file. No manifest may be read with the shards of another plan.
      await rm(files.plan, { force: true });
      for (const file of written) await file.close();
    } catch (error) {
      for (const file of written) await file.abandon();
      throw error;
    }
    return { plan, otherFiles: leftOut.otherFiles };
  } finally {
    await refused.abandon();
    await rm(draftPath, { force: true });
  }
}

/** @returns the manifest, which does not have its name yet, and the totals */
async function writeManifest(
  path: string,
  draftPath: string,
  names: DistinctNames,
  shards: Uint32Array,
  numShards: number,
): Promise<Pick<Plan, 'totalSeconds' | 'shards'> & { readonly manifest: AtomicFile }> {
  const totals = Array.from({ length: numShards }, () => ({ numEntries: 0, seconds: 0 }));
  const manifest = await AtomicFile.create(path);
  try {
    let index = 0;
    for await (const { text } of textLines(draftPath)) {
      const { base, given, givenRecording, ...checked } = JSON.parse(text) as Draft;
      const recording = names.recording(base, checked.path);
      const shard = shards[index++]!;
      const entry: Entry = {
        id: names.entry(idOf(recording, given, checked)),
        recording,
        ...(givenRecording !== undefined && givenRecording !== recording && { recordingId: givenRecording }),
        ...checked,
        shard,
      };
      const total = totals[shard]!;
      total.numEntries++;
      total.seconds += entry.durationSeconds;
      await manifest.write(jsonLine(entry));
    }
  } catch (error) {
    await manifest.abandon();
    throw error;
  }
  const rounded = totals.map(({ numEntries, seconds }) => ({ numEntries, seconds: Math.round(seconds * 1e3) / 1e3 }));
  const totalSeconds = Math.round(totals.reduce((sum, { seconds }) => sum + seconds, 0) * 1e3) / 1e3;
  return { totalSeconds, shards: rounded, manifest };
}

function idOf(recording: string, given: string | undefined, { startSeconds, endSeconds }: CheckedSource): string {
  if (startSeconds === undefined || endSeconds === undefined) return recording;
  return given ?? `${recording}-${startSeconds.toFixed(3)}-${endSeconds.toFixed(3)}`;
}

/** Checks several entries at a time, and yields them in the order of the inputs. Repeated entries are refused. */
async function* checkedInOrder(reads: AsyncIterable<Read>): AsyncGenerator<Draft | Refusal, void, undefined> {
  const checker = new SourceChecker();
  const places = new Map<string, string>();
  const queue: { readonly source: string; readonly checked: Promise<Draft | Refusal> }[] = [];
  const next = async (): Promise<Draft | Refusal> => {
    const { source, checked } = queue.shift()!;
    const row = await checked;
    return isRefusalRow(row) ? row : (repetition(source, row, places) ?? row);
  };
  for await (const read of reads) {
    queue.push({ source: read.source, checked: isRefusal(read) ? Promise.resolve(read) : check(read, checker) });
    if (queue.length >= CONCURRENT_CHECKS) yield await next();
  }
  while (queue.length > 0) yield await next();
}

async function check(source: Source, checker: SourceChecker): Promise<Draft | Refusal> {
  const { path, recording, name } = source;
  try {
    const checked = await checker.check(source);
    const isWhole = checked.startSeconds === undefined;
    return {
      ...checked,
      base: safeName(recording ?? (isWhole ? name : undefined) ?? stemOf(path)),
      ...(recording !== undefined && { givenRecording: recording }),
      ...(!isWhole && name !== undefined && { given: safeName(name) }),
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { source: source.source, path, ...error.reason };
  }
}

/** A refusal if an earlier entry has the same file and segment; otherwise null. */
function repetition(source: string, { path, startSeconds, endSeconds }: Draft, places: Map<string, string>): Refusal | null {
  // A digest, because paths are long and there can be a million of them.
  const key = createHash('sha256').update(`${path}\n${startSeconds ?? ''}\n${endSeconds ?? ''}`).digest('base64').slice(0, 20);
  const first = places.get(key);
  if (first === undefined) {
    places.set(key, source);
    return null;
  }
  const problem = `The same recording and segment is in ${first === path ? 'an earlier input' : first}`;
  return { source, path, code: 'duplicate', problem, expected: 'each segment once', remedy: 'Remove one of the entries' };
}

const isRefusalRow = (checked: Draft | Refusal): checked is Refusal => 'problem' in checked;

/** Numbers without the overhead of an array of objects. */
class GrowingArray {
  private data = new Float64Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.data.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = value;
  }

  values(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

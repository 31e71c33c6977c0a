import type { ConstrainedRows } from './constraints';
import type { VoiceTable } from './localSpeakers';
import type { IdentitySettings } from './settings';

/**
 * Speech of one identity in one span. The state of the model that numbers the identities does not change within a span, so all of
 * it is one speaker (must-link).
 */
export interface IdentityUnit {
  /** Number of the span, from 0. */
  readonly span: number;
  readonly identity: number;
  /** Index of the constraint that its rows belong to, or -1. A constraint divides the speech of an identity in a span. */
  readonly group: number;
  /** All rows with speech, as window × identity, ascending. */
  readonly rows: readonly number[];
  /** The rows whose embeddings take part in clustering. */
  readonly voiced: readonly number[];
  /** Speech without overlap in the voiced rows, in seconds; each row has at least 1. */
  readonly weight: number;
}

/** Units of a recording. */
export interface IdentityUnits {
  /** In the order of spans, then identities. */
  readonly units: readonly IdentityUnit[];
  /** Pairs of units of one span that overlap, lower index first: different speakers (cannot-link). */
  readonly apart: readonly (readonly [number, number])[];
  /** Axes (window, identity): whole seconds without overlap, at least 1, of rows that take part in clustering; 0 for the others. */
  readonly weights: Int32Array;
}

/**
 * Collects the rows of each identity in each span.
 *
 * @param table its local speakers are the identities, the same ones in all windows; windows do not overlap
 * @param secondsPerFrame distance between the frames of a window
 * @param constrained null without constraints
 */
export function identityUnits(table: VoiceTable, settings: IdentitySettings, secondsPerFrame: number, constrained: ConstrainedRows | null): IdentityUnits {
  const { numSpeakers } = table.local;
  const weights = rowWeights(table, settings, secondsPerFrame);
  const byKey = new Map<string, { rows: number[]; unit: Omit<IdentityUnit, 'rows' | 'voiced' | 'weight'> }>();
  for (let row = 0; row < weights.length; row++) {
    if (table.isSilent[row]) continue;
    const span = Math.floor(Math.floor(row / numSpeakers) / settings.windowsPerSpan);
    const identity = row % numSpeakers;
    const group = constrained?.groups[row] ?? -1;
    const key = `${span} ${identity} ${group}`;
    const known = byKey.get(key);
    if (known) known.rows.push(row);
    else byKey.set(key, { rows: [row], unit: { span, identity, group } });
  }
  const units = [...byKey.values()]
    .map(({ rows, unit }): IdentityUnit => {
      const voiced = rows.filter((row) => weights[row]! > 0);
      return { ...unit, rows, voiced, weight: voiced.reduce((sum, row) => sum + weights[row]!, 0) };
    })
    .sort((a, b) => a.span - b.span || a.identity - b.identity || a.group - b.group);
  return { units, apart: overlapping(table, units, settings.overlapSeconds / secondsPerFrame), weights };
}

/** An identity without enough clean speech takes part with all of its embeddings: it would have no voice otherwise. */
function rowWeights(table: VoiceTable, { minSeconds }: IdentitySettings, secondsPerFrame: number): Int32Array {
  const { numSpeakers } = table.local;
  const seconds = Float64Array.from(aloneFrames(table), (frames) => frames * secondsPerFrame);
  const isEmbedded = (row: number): boolean => table.squares[row]! > 0 && !table.isSilent[row];
  const hasClean = new Uint8Array(numSpeakers);
  for (let row = 0; row < seconds.length; row++) if (isEmbedded(row) && seconds[row]! >= minSeconds) hasClean[row % numSpeakers] = 1;
  return Int32Array.from(seconds, (value, row) =>
    isEmbedded(row) && (value >= minSeconds || !hasClean[row % numSpeakers]) ? Math.max(1, Math.round(value)) : 0,
  );
}

/** Frames in which only this identity talks; axes (window, identity). */
function aloneFrames({ local }: VoiceTable): Int32Array {
  const { activity, numWindows, numFrames, numSpeakers } = local;
  const frames = new Int32Array(numWindows * numSpeakers);
  forEachFrame(activity, numWindows * numFrames, numSpeakers, (frame, active) => {
    if (active.length === 1) frames[Math.floor(frame / numFrames) * numSpeakers + active[0]!]!++;
  });
  return frames;
}

/** Pairs of units that are active in at least `minFrames` of the same frames. */
function overlapping({ local }: VoiceTable, units: readonly IdentityUnit[], minFrames: number): (readonly [number, number])[] {
  const { activity, numWindows, numFrames, numSpeakers } = local;
  const unitOf = new Int32Array(numWindows * numSpeakers).fill(-1);
  for (const [index, { rows }] of units.entries()) for (const row of rows) unitOf[row] = index;
  const shared = new Map<number, number>();
  forEachFrame(activity, numWindows * numFrames, numSpeakers, (frame, active) => {
    const first = Math.floor(frame / numFrames) * numSpeakers;
    for (let i = 0; i < active.length; i++) {
      for (let j = i + 1; j < active.length; j++) {
        const [one, other] = [unitOf[first + active[i]!]!, unitOf[first + active[j]!]!];
        const key = Math.min(one, other) * units.length + Math.max(one, other);
        shared.set(key, (shared.get(key) ?? 0) + 1);
      }
    }
  });
  return [...shared]
    .filter(([, frames]) => frames >= minFrames)
    .map(([key]) => [Math.floor(key / units.length), key % units.length] as const);
}

/** @param visit receives the identities that talk in the frame; the array is reused */
function forEachFrame(activity: Uint8Array, numFrames: number, numSpeakers: number, visit: (frame: number, active: readonly number[]) => void): void {
  const active: number[] = [];
  for (let frame = 0; frame < numFrames; frame++) {
    active.length = 0;
    for (let speaker = 0; speaker < numSpeakers; speaker++) if (activity[frame * numSpeakers + speaker]) active.push(speaker);
    if (active.length > 0) visit(frame, active);
  }
}

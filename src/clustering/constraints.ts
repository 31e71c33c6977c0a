import { closestFrame, firstFrameOf, type TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import type { VoiceTable } from './localSpeakers';

/** A segment of the recording. */
export interface ConstraintSegment {
  /** Seconds from the start of the recording. */
  readonly startSeconds: number;
  /** Seconds from the start of the recording; not before `startSeconds`. */
  readonly endSeconds: number;
}

/**
 * What a person has said for certain: for each of some speakers, segments in which that one talks. All of one speaker
 * are one person, and no two speakers are the same.
 */
export type LinkConstraints = readonly {
  /** Id of the speaker, which the cluster that holds the segments is labeled with. No two entries have the same. */
  readonly speaker: string;
  /** Seconds from the start of the recording. */
  readonly segments: readonly ConstraintSegment[];
}[];

/** What constraints mean for the local speakers of a recording. */
export interface ConstrainedRows {
  /** Axes (window, local speaker): entry of the constraints that the local speaker is, or -1. */
  readonly groups: Int32Array;
  /** Entries that a local speaker with an embedding is; only these have an effect. */
  readonly heard: readonly number[];
  readonly numGroups: number;
}

/** A local speaker is an entry's where at least this share of its frames lies in the entry's segments … */
const OWN_SHARE = 0.5;
/** … at most this share in those of any other … */
const OTHER_SHARE = 0.1;
/** … and it talks in this share of what its window sees of the segments: who only throws in a word is somebody else. */
const HEARD_SHARE = 0.5;

/**
 * Finds the local speakers that constraints speak of. Of one window, at most one is a given entry's: who has most of its
 * frames.
 *
 * @param constraints seconds from the start of the first window
 */
export function constrainedRows(constraints: LinkConstraints, table: VoiceTable, geometry: TimeGeometry): ConstrainedRows {
  const { numWindows, numSpeakers } = table.local;
  const groups = new Int32Array(table.rows.length).fill(-1);
  const inside = constraints.map(({ segments }) => framesInside(frameSpans(segments, geometry), table, geometry));
  const active = activeFrames(table);
  for (let window = 0; window < numWindows; window++) {
    inside.forEach((own, group) => {
      let best = -1;
      for (let row = window * numSpeakers; row < (window + 1) * numSpeakers; row++) {
        const frames = own.active[row]!;
        const isOwn = frames > 0 && frames >= OWN_SHARE * active[row]! && frames >= HEARD_SHARE * own.seen[window]!;
        if (!isOwn || (best >= 0 && frames <= own.active[best]!)) continue;
        const isOthers = inside.some((other) => other !== own && other.active[row]! > OTHER_SHARE * active[row]!);
        if (!isOthers) best = row;
      }
      if (best >= 0) groups[best] = group;
    });
  }
  const heard = constraints.flatMap((_, group) => (groups.some((of, row) => of === group && table.hasEmbedding(row)) ? [group] : []));
  return { groups: groups.map((group) => (heard.includes(group) ? group : -1)), heard, numGroups: constraints.length };
}

/** @throws VoxlaneError `options` where the constraints speak of more people than there may be */
export function checkConstraintCount({ heard }: ConstrainedRows, maxSpeakers: number): void {
  if (heard.length <= maxSpeakers) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The constraints tell ${heard.length} speakers apart, and there may be ${maxSpeakers}`,
    expected: 'at least as many speakers as have constraints',
    remedy: 'Allow more speakers, or take constraints back',
  });
}

/**
 * The cluster of each entry, where every entry's local speakers are in one, and no two entries' in the same; null
 * otherwise. Those without an embedding do not count: nothing but the constraint says whose they are.
 *
 * @param clusterOf cluster of a row
 */
export function clustersOfConstraints(
  { groups, numGroups }: ConstrainedRows,
  table: VoiceTable,
  clusterOf: (row: number) => number,
): number[] | null {
  const clusters = Array.from({ length: numGroups }, () => -1);
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row]!;
    if (group < 0 || !table.hasEmbedding(row)) continue;
    const cluster = clusterOf(row);
    if (clusters[group] === -1) clusters[group] = cluster;
    if (clusters[group] !== cluster || cluster < 0) return null;
  }
  const used = clusters.filter((cluster) => cluster >= 0);
  return new Set(used).size === used.length ? clusters : null;
}

/** Rows that have an entry and an embedding. */
export function embeddedConstraints({ groups }: ConstrainedRows, table: VoiceTable): number[] {
  return [...groups.keys()].filter((row) => groups[row]! >= 0 && table.hasEmbedding(row));
}

interface FramesInside {
  /** Axes (window, local speaker): frames of the segments in which the local speaker talks. */
  readonly active: Int32Array;
  /** Axes (window): frames of the segments that the window sees. */
  readonly seen: Int32Array;
}

/** Half-open spans of recording frames, rising, that do not overlap. */
function frameSpans(segments: readonly ConstraintSegment[], { frames }: TimeGeometry): [number, number][] {
  const spans: [number, number][] = [];
  const sorted = segments
    .map(({ startSeconds, endSeconds }) => [closestFrame(frames, startSeconds), closestFrame(frames, endSeconds)] as const)
    .sort((a, b) => a[0] - b[0]);
  for (const [from, to] of sorted) {
    const last = spans.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) spans.push([from, to]);
  }
  return spans;
}

function framesInside(spans: readonly [number, number][], { local, rows }: VoiceTable, geometry: TimeGeometry): FramesInside {
  const { activity, numWindows, numFrames, numSpeakers } = local;
  const active = new Int32Array(rows.length);
  const seen = new Int32Array(numWindows);
  let firstSpan = 0;
  for (let window = 0; window < numWindows; window++) {
    const start = firstFrameOf(geometry, window);
    while (firstSpan < spans.length && spans[firstSpan]![1] <= start) firstSpan++;
    for (let index = firstSpan; index < spans.length && spans[index]![0] < start + numFrames; index++) {
      const from = Math.max(0, spans[index]![0] - start);
      const to = Math.min(numFrames, spans[index]![1] - start);
      seen[window]! += to - from;
      for (let frame = from; frame < to; frame++) {
        const cell = (window * numFrames + frame) * numSpeakers;
        for (let speaker = 0; speaker < numSpeakers; speaker++) {
          active[window * numSpeakers + speaker]! += activity[cell + speaker]!;
        }
      }
    }
  }
  return { active, seen };
}

/** Frames in which each local speaker talks; axes (window, local speaker). */
function activeFrames({ local, rows }: VoiceTable): Int32Array {
  const { activity, numFrames, numSpeakers } = local;
  const counts = new Int32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const window = Math.floor(row / numSpeakers);
    let cell = window * numFrames * numSpeakers + (row % numSpeakers);
    for (let frame = 0; frame < numFrames; frame++, cell += numSpeakers) counts[row]! += activity[cell]!;
  }
  return counts;
}

import { closestFrame, firstFrameOf, type TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import type { VoiceTable } from './localSpeakers';
import type { Segment } from '../util/segment';

/**
 * Known segments of some speakers. All segments of one entry belong to the same speaker (must-link); segments of two entries
 * belong to different speakers (cannot-link).
 */
export type LinkConstraints = readonly {
  /** Speaker id; labels the cluster that contains the segments. Ids are unique. */
  readonly speaker: string;
  /** Segments in which the speaker talks. */
  readonly segments: readonly Segment[];
}[];

/** Constraints applied to the local speakers of a recording. */
export interface ConstrainedRows {
  /** Axes (window, local speaker): index of the constraint that the local speaker belongs to, or -1. */
  readonly groups: Int32Array;
  /** Constraints that match a local speaker with an embedding; only these have an effect. */
  readonly heard: readonly number[];
  readonly numGroups: number;
}

/** A local speaker matches a constraint if at least this share of its frames lies in the segments of the constraint … */
const OWN_SHARE = 0.5;
/** … if at most this share lies in the segments of any other constraint … */
const OTHER_SHARE = 0.1;
/** … and if it talks in this share of the segments visible in its window, which excludes short interjections. */
const HEARD_SHARE = 0.5;

/**
 * Finds the local speakers that match the constraints. In each window, at most one local speaker matches a given constraint:
 * the one with the most frames in its segments.
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
  return withEmbedding(groups, constraints.length, table);
}

/**
 * {@link constrainedRows} for identities of a model, two of which can be one speaker: any number of them match a constraint. An
 * identity counts by the frames in which it talks alone, because others interject in the segments of a speaker.
 *
 * @param constraints seconds from the start of the first window
 */
export function constrainedIdentities(constraints: LinkConstraints, table: VoiceTable, geometry: TimeGeometry): ConstrainedRows {
  const alone = { rows: table.rows, local: { ...table.local, activity: aloneActivity(table.local) } };
  const [active, single] = [activeFrames(table), activeFrames(alone)];
  const spans = constraints.map(({ segments }) => frameSpans(segments, geometry));
  const inside = spans.map((own) => ({ all: framesInside(own, table, geometry).active, alone: framesInside(own, alone, geometry).active }));
  const groups = Int32Array.from(active, (frames, row) =>
    inside.findIndex((own) => {
      const isOwn = own.alone[row]! > 0 && own.alone[row]! >= OWN_SHARE * single[row]!;
      return isOwn && !inside.some((other) => other !== own && other.all[row]! > OTHER_SHARE * frames);
    }),
  );
  return withEmbedding(groups, constraints.length, table);
}

/** Drops the constraints without any embedding. */
function withEmbedding(groups: Int32Array, numGroups: number, table: VoiceTable): ConstrainedRows {
  const heard = [...new Array<unknown>(numGroups).keys()].filter((group) => groups.some((of, row) => of === group && table.hasEmbedding(row)));
  return { groups: groups.map((group) => (heard.includes(group) ? group : -1)), heard, numGroups };
}

/** Activity without the frames in which several talk; axes (window, frame, local speaker). */
function aloneActivity({ activity, numSpeakers }: VoiceTable['local']): Uint8Array {
  const alone = activity.slice();
  for (let cell = 0; cell < alone.length; cell += numSpeakers) {
    const frame = alone.subarray(cell, cell + numSpeakers);
    if (frame.reduce((sum, value) => sum + value, 0) > 1) frame.fill(0);
  }
  return alone;
}

/** @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers` */
export function checkConstraintCount({ heard }: ConstrainedRows, maxSpeakers: number): void {
  if (heard.length <= maxSpeakers) return;
  throw new VoxlaneError({
    code: 'options',
    problem: `The constraints distinguish ${heard.length} speakers, but the maximum number of speakers is ${maxSpeakers}`,
    expected: 'a maximum of at least the number of constrained speakers',
    remedy: 'Allow more speakers, or remove constraints',
  });
}

/**
 * The cluster of each constraint if the clusters satisfy all constraints: the local speakers of each constraint share a cluster,
 * and no two constraints share one. Null otherwise. Local speakers without an embedding are ignored, because their cluster is
 * not based on data.
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

/** Rows that have a constraint and an embedding. */
export function embeddedConstraints({ groups }: ConstrainedRows, table: VoiceTable): number[] {
  return [...groups.keys()].filter((row) => groups[row]! >= 0 && table.hasEmbedding(row));
}

interface FramesInside {
  /** Axes (window, local speaker): frames inside the segments in which the local speaker talks. */
  readonly active: Int32Array;
  /** Axes (window): frames of the segments inside the window. */
  readonly seen: Int32Array;
}

/** Half-open spans of recording frames, ascending, without overlap. */
function frameSpans(segments: readonly Segment[], { frames }: TimeGeometry): [number, number][] {
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

function framesInside(spans: readonly [number, number][], { local, rows }: Pick<VoiceTable, 'local' | 'rows'>, geometry: TimeGeometry): FramesInside {
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
function activeFrames({ local, rows }: Pick<VoiceTable, 'local' | 'rows'>): Int32Array {
  const { activity, numFrames, numSpeakers } = local;
  const counts = new Int32Array(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const window = Math.floor(row / numSpeakers);
    let cell = window * numFrames * numSpeakers + (row % numSpeakers);
    for (let frame = 0; frame < numFrames; frame++, cell += numSpeakers) counts[row]! += activity[cell]!;
  }
  return counts;
}

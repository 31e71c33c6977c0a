import type { StageName } from '../engine/stages';
import type { Progress } from '../engine/types';

/** The progress bars of the page. The three short stages at the end share one bar: separate bars would only flicker. */
export const STAGE_GROUPS = [
  { id: 'decode', stages: ['decode'] },
  { id: 'segmentation', stages: ['segmentation'] },
  { id: 'fbank', stages: ['fbank'] },
  { id: 'embedding', stages: ['embedding'] },
  { id: 'clustering', stages: ['counting', 'clustering', 'reconstruction'] },
] as const satisfies readonly { id: string; stages: readonly StageName[] }[];

export type StageGroupId = (typeof STAGE_GROUPS)[number]['id'];

export interface GroupProgress {
  readonly id: StageGroupId;
  readonly status: 'waiting' | 'active' | 'done';
  /** 0 to 1. */
  readonly fraction: number;
  readonly completed: number;
  readonly total: number;
  readonly secondsLeft: number | null;
}

export function groupProgress(stages: Readonly<Partial<Record<StageName, Progress>>>): GroupProgress[] {
  // Totals are estimates until decoding ends: until then, no later bar is complete.
  const decode = stages.decode;
  const decoded = decode !== undefined && decode.total > 0 && decode.completed >= decode.total;
  return STAGE_GROUPS.map(({ id, stages: members }) => {
    let fraction = 0;
    let started = false;
    let completed = 0;
    let total = 0;
    let secondsLeft: number | null = null;
    let finished = 0;
    for (const name of members) {
      const progress = stages[name];
      if (!progress) continue;
      started = true;
      const part = progress.total > 0 ? Math.min(1, progress.completed / progress.total) : 0;
      fraction += part / members.length;
      if (part >= 1) finished += 1;
      completed = progress.completed;
      total = progress.total;
      secondsLeft = progress.secondsLeft;
    }
    if (members.length > 1) {
      // The units of the members differ, so their counts cannot be added; count finished steps.
      completed = finished;
      total = members.length;
    }
    const done = finished === members.length && (id === 'decode' || decoded);
    return {
      id,
      status: done ? 'done' : started ? 'active' : 'waiting',
      fraction: done ? 1 : Math.min(fraction, 1),
      completed,
      total,
      secondsLeft: done ? null : secondsLeft,
    };
  });
}

/** Selection of the shards of a run: from `--shard`, or from the variables of a job scheduler. */
import { number } from '../arguments';

/** The shards of a run, and where they were read from. */
export interface ShardChoice {
  /** 0-based, in ascending order. */
  readonly shards: readonly number[];
  /** `--shard`, the name of a variable, or null if the run covers all shards. */
  readonly source: string | null;
  /** A sentence for the user if the choice rests on an assumption. */
  readonly note?: string;
}

/** Schedulers that number their tasks from 0, one task per shard. `size` is the variable with the number of tasks. */
const SCHEDULERS: readonly { readonly index: string; readonly size?: string; readonly remedy: (shards: number) => string }[] = [
  { index: 'JOB_COMPLETION_INDEX', remedy: (shards) => `Set completions: ${shards} in the Indexed Job` },
  { index: 'AWS_BATCH_JOB_ARRAY_INDEX', size: 'AWS_BATCH_JOB_ARRAY_SIZE', remedy: (shards) => `Set the array size to ${shards}` },
  { index: 'CLOUD_RUN_TASK_INDEX', size: 'CLOUD_RUN_TASK_COUNT', remedy: (shards) => `Start the job with --tasks ${shards}` },
];

/**
 * Shards of this process.
 *
 * 1. `--shard I/N`: shard I, counted from 0; N must be the number of shards of the plan.
 * 2. `SLURM_ARRAY_TASK_ID`, see {@link slurmShard}.
 * 3. `JOB_COMPLETION_INDEX`, `AWS_BATCH_JOB_ARRAY_INDEX` or `CLOUD_RUN_TASK_INDEX`: the value is the shard. If the
 *    scheduler reports the number of tasks, it must be the number of shards; otherwise shards would be left out.
 * 4. None of them: all shards.
 *
 * @param option value of `--shard`
 * @param count number of shards of the plan
 * @throws Error with a one-line message if the shard does not exist or the number of tasks differs
 */
export function chooseShards(option: string | undefined, count: number, environment: NodeJS.ProcessEnv = process.env): ShardChoice {
  if (option !== undefined) return { shards: [optionShard(option, count)], source: '--shard' };
  if (isSet(environment.SLURM_ARRAY_TASK_ID)) return slurmShard(count, environment);
  for (const { index, size, remedy } of SCHEDULERS) {
    if (!isSet(environment[index])) continue;
    const tasks = size === undefined ? undefined : whole(size, environment[size]);
    const shard = whole(index, environment[index])!;
    if (tasks !== undefined && tasks !== count) {
      throw new Error(`${size} is ${tasks}, but the plan has ${countText(count)}. ${remedy(count)}, or plan again with --shards ${tasks}.`);
    }
    if (shard >= count) {
      throw new Error(`${index} is ${shard}, but the plan has ${countText(count)}, counted from 0. ${remedy(count)}, or plan again with more shards.`);
    }
    return { shards: [shard], source: index };
  }
  return { shards: Array.from({ length: count }, (_, shard) => shard), source: null };
}

/** An empty variable is an error of the job: without a shard, each task would run all. */
const isSet = (value: string | undefined): value is string => value !== undefined;

const countText = (count: number): string => `${count} ${count === 1 ? 'shard' : 'shards'}`;

function whole(name: string, text: string | undefined): number | undefined {
  if (text === '') throw new Error(`${name} is empty. Expected a whole number from 0, or no such variable.`);
  const value = number(name, text);
  if (value !== undefined && (!Number.isInteger(value) || value < 0)) throw new Error(`${name} is ${text}. Expected a whole number from 0.`);
  return value;
}

function optionShard(option: string, count: number): number {
  const match = /^(\d+)(?:\/(\d+))?$/.exec(option);
  if (!match || Number(match[2]) === 0) throw new Error(`--shard is ${option}. Expected I/N with I from 0 to N - 1, such as 0/4.`);
  const [shard, total] = [Number(match[1]), Number(match[2] ?? count)];
  if (total !== count) throw new Error(`--shard is ${option}, but the plan has ${countText(count)}. Use --shard I/${count}, or plan again with --shards ${total}.`);
  if (shard >= count) throw new Error(`--shard is ${option}, but shards are counted from 0. Expected 0/${count} to ${count - 1}/${count}.`);
  return shard;
}

/**
 * Shard of a Slurm array task.
 *
 * - An array with one task per shard and consecutive numbers: the first task runs shard 0, so `--array=0-3` and
 *   `--array=1-4` are equal.
 * - Fewer tasks, such as `--array=2,5` to repeat a part: the task number is the shard, counted from 0, with a note.
 * - More tasks than shards: an error.
 *
 * A requeued task keeps its variables and therefore its shard.
 */
function slurmShard(count: number, environment: NodeJS.ProcessEnv): ShardChoice {
  const read = (name: string): number | undefined => whole(name, environment[name]);
  const source = 'SLURM_ARRAY_TASK_ID';
  const id = read(source)!;
  const tasks = read('SLURM_ARRAY_TASK_COUNT') ?? count;
  const first = read('SLURM_ARRAY_TASK_MIN') ?? 0;
  const last = read('SLURM_ARRAY_TASK_MAX') ?? first + tasks - 1;
  if (tasks > count) {
    throw new Error(`The Slurm array has ${tasks} tasks, but the plan has ${countText(count)}. Use --array=0-${count - 1}, or plan again with --shards ${tasks}.`);
  }
  if (tasks === count && last - first + 1 === count && id >= first && id <= last) return { shards: [id - first], source };
  if (id >= count) {
    throw new Error(`${source} is ${id}, but the plan has ${countText(count)}, counted from 0. Use --array=0-${count - 1}.`);
  }
  return {
    shards: [id],
    source,
    note: `The Slurm array has ${tasks} of ${countText(count)}. Task ${id} runs shard ${id}, counted from 0. The other shards need tasks of their own.`,
  };
}

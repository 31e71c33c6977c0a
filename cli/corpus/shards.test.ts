import { describe, expect, test } from 'vitest';
import { chooseShards } from './shards';

test('without an option or a scheduler, a run covers all shards', () => {
  expect(chooseShards(undefined, 3, {})).toEqual({ shards: [0, 1, 2], source: null });
});

test('--shard counts from 0 and overrides the scheduler', () => {
  expect(chooseShards('2/4', 4, { JOB_COMPLETION_INDEX: '1' })).toEqual({ shards: [2], source: '--shard' });
});

test.each([
  ['4/4', 'Expected 0/4 to 3/4.'],
  ['1/3', 'the plan has 4 shards. Use --shard I/4'],
  ['first', 'Expected I/N'],
  ['-1/4', 'Expected I/N'],
  ['0/0', 'Expected I/N'],
])('--shard %s is rejected', (option, message) => {
  expect(() => chooseShards(option, 4, {})).toThrow(message);
});

test.each(['SLURM_ARRAY_TASK_ID', 'JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX', 'CLOUD_RUN_TASK_INDEX'])('an empty %s is an error', (name) => {
  expect(() => chooseShards(undefined, 4, { [name]: '' })).toThrow(`${name} is empty`);
});

/** The environment that each scheduler gives to its task. */
const SCHEDULERS: Readonly<Record<string, (task: number, tasks: number) => NodeJS.ProcessEnv>> = {
  'Slurm from 0': (task, tasks) => slurm(task, 0, tasks),
  'Slurm from 1': (task, tasks) => slurm(task + 1, 1, tasks),
  'Kubernetes': (task) => ({ JOB_COMPLETION_INDEX: String(task) }),
  'AWS Batch': (task, tasks) => ({ AWS_BATCH_JOB_ARRAY_INDEX: String(task), AWS_BATCH_JOB_ARRAY_SIZE: String(tasks) }),
  'older AWS Batch': (task) => ({ AWS_BATCH_JOB_ARRAY_INDEX: String(task) }),
  'Cloud Run': (task, tasks) => ({ CLOUD_RUN_TASK_INDEX: String(task), CLOUD_RUN_TASK_COUNT: String(tasks) }),
};

function slurm(id: number, first: number, tasks: number): NodeJS.ProcessEnv {
  return {
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_MIN: String(first),
    SLURM_ARRAY_TASK_MAX: String(first + tasks - 1),
    SLURM_ARRAY_TASK_COUNT: String(tasks),
  };
}

describe.each(Object.entries(SCHEDULERS))('%s', (_, environment) => {
  test('its tasks run each shard once', () => {
    const shards = [0, 1, 2, 3].flatMap((task) => chooseShards(undefined, 4, environment(task, 4)).shards);
    expect(shards).toEqual([0, 1, 2, 3]);
  });

  test('a task without a shard is an error that names the number of shards', () => {
    expect(() => chooseShards(undefined, 4, environment(4, 5))).toThrow('the plan has 4 shards');
  });
});

test('too few tasks of a scheduler that repeats single tasks by itself are an error', () => {
  expect(() => chooseShards(undefined, 4, { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '3' })).toThrow('--tasks 4');
});

test('a Slurm array that repeats some tasks runs the shards with these numbers, with a note', () => {
  const environment = { ...slurm(5, 2, 4), SLURM_ARRAY_TASK_COUNT: '2' };
  expect(chooseShards(undefined, 8, environment)).toMatchObject({ shards: [5], note: expect.stringContaining('Task 5 runs shard 5') as string });
});

test('an invalid variable is an error that names it', () => {
  expect(() => chooseShards(undefined, 4, { JOB_COMPLETION_INDEX: 'one' })).toThrow('JOB_COMPLETION_INDEX is one. Expected a number.');
});

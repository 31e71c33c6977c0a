import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expandedByKubernetes } from '../corpus/expandedByKubernetes';
import { fakeCluster, type FakeCluster } from '../corpus/fakeSchedulers';
import { chooseShards } from '../../cli/corpus/shards';
import { jobText, readRequest, run, type Scheduler } from '../../cli/corpus/template';

/** A folder whose name has everything that shells, YAML and JSON treat specially. */
const AWKWARD = `a 'b' "c" $d \`e\` \\f %A #g {}: !`;
const FILE_SYSTEM = ['--file-system', 'fs-0123456789abcdef0'];
const EACH: readonly (readonly [Scheduler, readonly string[]])[] = [
  ['slurm', []],
  ['kubernetes', []],
  ['aws-batch', FILE_SYSTEM],
  ['parallel', []],
];

const text = (scheduler: Scheduler, ...flags: readonly string[]): string => jobText(readRequest([scheduler, ...flags])!);

let cluster: FakeCluster;
beforeEach(() => {
  cluster = fakeCluster(AWKWARD);
});
afterEach(() => {
  rmSync(dirname(cluster.folder), { recursive: true });
});

function plan(numShards: number): void {
  writeFileSync(join(cluster.folder, 'plan.json'), JSON.stringify({ numShards }));
  writeFileSync(join(cluster.folder, 'manifest.jsonl'), '');
}

function shell(program: 'bash' | 'sh', args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { env: { ...cluster.environment, ...environment }, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Writes the job and starts it. */
function start(scheduler: Scheduler, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
  const file = join(dirname(cluster.folder), 'job.sh');
  writeFileSync(file, text(scheduler, '--corpus', cluster.folder, ...flags));
  return shell('bash', [file], environment);
}

/** The shards that the calls of `corpus run` choose from their variables. */
const shardsOfCalls = (count: number): number[] =>
  cluster
    .calls()
    .filter(({ args }) => args[1] === 'run')
    .map(({ environment }) => {
      const { shards, note } = chooseShards(undefined, count, environment);
      expect([shards.length, note]).toEqual([1, undefined]);
      return shards[0]!;
    });

function validator(name: string): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  return ajv.compile(JSON.parse(readFileSync(`test/corpus/schemas/${name}.json`, 'utf8')) as object);
}

function expectValid(validate: ValidateFunction, document: unknown): void {
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
}

interface Container {
  readonly name: string;
  readonly args: readonly [string];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface KubernetesJob {
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly completions: number;
    readonly maxFailedIndexes: number;
    readonly podFailurePolicy: { readonly rules: readonly { readonly action: string; readonly onExitCodes?: { readonly values: readonly number[] } }[] };
    readonly template: { readonly spec: { readonly initContainers: readonly Container[]; readonly containers: readonly Container[] } };
  };
}

const kubernetesJobs = (...flags: readonly string[]): [KubernetesJob, KubernetesJob] =>
  parseAllDocuments(text('kubernetes', ...flags)).map((document) => {
    expect([document.errors, document.warnings]).toEqual([[], []]);
    return document.toJS() as KubernetesJob;
  }) as [KubernetesJob, KubernetesJob];

/** The variables of a container. A value can contain the variables before it. */
function environmentOf({ env }: Container): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, value } of env) environment[name] = expandedByKubernetes(value, environment);
  return environment;
}

/** Runs the script of a container, as Kubernetes does. */
const runContainer = (container: Container, more: Readonly<Record<string, string>> = {}): ReturnType<typeof shell> => {
  const environment = environmentOf(container);
  return shell('sh', ['-c', expandedByKubernetes(container.args[0], environment)], { ...environment, ...more });
};

describe('all templates', () => {
  test.each(EACH)('%s is valid for its shell, whatever the folder is called', (scheduler, flags) => {
    const written = text(scheduler, '--corpus', cluster.folder, ...flags);
    if (scheduler === 'kubernetes') {
      for (const { spec } of kubernetesJobs('--corpus', cluster.folder)) {
        const { initContainers = [], containers } = spec.template.spec as Partial<typeof spec.template.spec> & Pick<typeof spec.template.spec, 'containers'>;
        for (const { args } of [...initContainers, ...containers]) expect(shell('sh', ['-n', '-c', args[0]])).toMatchObject({ status: 0, stderr: '' });
      }
    } else {
      expect(shell('bash', ['-n', '-c', written])).toMatchObject({ status: 0, stderr: '' });
    }
  });

  test.each(EACH)('%s has the steps in order', (scheduler, flags) => {
    const steps = ['1. Validate', '2. Install', '3. Measure', '4. Run'];
    const written = text(scheduler, ...flags);
    expect(steps.map((step) => written.indexOf(step))).toEqual(steps.map((step) => written.indexOf(step)).toSorted((one, other) => one - other));
    expect(steps.filter((step) => !written.includes(step))).toEqual([]);
  });

  test('the image is the Dockerfile of the repository', () => {
    expect(readFileSync('Dockerfile', 'utf8')).toBe(text('dockerfile'));
  });
});

describe('slurm', () => {
  test('submits one task per shard, and a merge', () => {
    plan(3);
    const { status, stderr } = start('slurm', ['--limit', '2', '--partition', 'long', '--cpus', '8', '--memory', '1.5', '--time', '0.5', '--', '--model', "it's $1.onnx"]);
    expect(status, stderr).toBe(0);
    expect(shardsOfCalls(3)).toEqual([0, 1, 2]);
    expect(cluster.calls().map(({ args }) => args)).toEqual([
      ...Array.from({ length: 3 }, () => ['corpus', 'run', cluster.folder, '--model', "it's $1.onnx"]),
      ['corpus', 'status', cluster.folder],
      ['corpus', 'merge', cluster.folder],
    ]);
    const [array, merge] = readFileSync(cluster.environment.SUBMITTED!, 'utf8').trim().split('\n');
    for (const option of ['--array=0-2%2', '--requeue', '--partition=long', '--cpus-per-task=8', '--mem=1536M', '--time=30']) expect(array).toContain(` ${option} `);
    expect(merge).toMatch(/ --dependency=afterany:\d+ /);
    expect(merge).not.toContain('--array');
  });

  test('a killed task goes back to the queue, but no task that ends by itself', () => {
    plan(2);
    expect(start('slurm', [], { FAKE_STATUS: '137' }).status).toBe(0);
    expect(readFileSync(cluster.environment.SUBMITTED!, 'utf8').match(/scontrol .*/g)).toEqual(['scontrol requeue 100', 'scontrol requeue 101']);
    rmSync(cluster.environment.SUBMITTED!);
    start('slurm', [], { FAKE_STATUS: '137', SLURM_RESTART_COUNT: '5' });
    start('slurm', [], { FAKE_STATUS: '1' });
    start('slurm', [], { FAKE_STATUS: '143' });
    expect(readFileSync(cluster.environment.SUBMITTED!, 'utf8')).not.toContain('scontrol');
  });

  test('bad input ends it before anything is submitted', () => {
    const expectRefused = (expected: RegExp): void => {
      const { status, stderr } = start('slurm', [], {});
      expect([status, stderr]).toEqual([42, expect.stringMatching(expected)]);
      expect(existsSync(cluster.environment.SUBMITTED!)).toBe(false);
    };
    expectRefused(/has no plan\. Run: voxlane corpus plan/);
    plan(2);
    const file = join(dirname(cluster.folder), 'job.sh');
    writeFileSync(file, text('slurm', '--corpus', cluster.folder));
    plan(3);
    expect(shell('bash', [file])).toMatchObject({ status: 42, stderr: expect.stringContaining('was planned with 3 shards, but this job has 2 tasks') as string });
  });
});

describe('kubernetes', () => {
  const validate = validator('kubernetes-job');

  test('both jobs are valid', () => {
    for (const job of kubernetesJobs('--corpus', cluster.folder, '--claim', 'speech')) expectValid(validate, job);
  });

  test('the schema refuses what Kubernetes would refuse', () => {
    const [job] = kubernetesJobs();
    for (const wrong of [{ completion: 1 }, { completions: '16' }, { podFailurePolicy: { rules: [{}] } }]) {
      expect(validate({ ...job, spec: { ...job.spec, ...wrong } }), JSON.stringify(wrong)).toBe(false);
    }
  });

  test('retries crashes, but neither failed recordings nor bad input', () => {
    const [{ spec }] = kubernetesJobs('--shards', '5', '--limit', '3');
    expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 5, parallelism: 3, backoffLimitPerIndex: 3, maxFailedIndexes: 5 });
    expect(spec.template.spec).toMatchObject({ restartPolicy: 'Never' });
    const actions = spec.podFailurePolicy.rules.map(({ action, onExitCodes }) => [action, onExitCodes?.values]);
    expect(actions).toEqual([['Ignore', undefined], ['FailIndex', [1, 42]], ['FailJob', [2]]]);
  });

  test('each index runs its shard', () => {
    plan(3);
    const [{ spec }, merge] = kubernetesJobs('--corpus', cluster.folder);
    const { initContainers: [check], containers: [main] } = spec.template.spec as { initContainers: [Container]; containers: [Container] };
    for (const index of [0, 1, 2]) {
      for (const container of [check, main]) {
        expect(runContainer(container, { JOB_COMPLETION_INDEX: String(index) })).toMatchObject({ status: 0, stderr: '' });
      }
    }
    expect(shardsOfCalls(spec.completions)).toEqual([0, 1, 2]);
    const [merging] = merge.spec.template.spec.containers as [Container];
    expect(runContainer(merging).status).toBe(0);
    expect(cluster.calls().at(-1)!.args).toEqual(['corpus', 'merge', cluster.folder]);
    expect(merge.spec).toMatchObject({ suspend: true });

    rmSync(join(cluster.folder, 'plan.json'));
    expect(runContainer(check).status).toBe(42);
    expect(runContainer(main, { FAKE_STATUS: '1' }).status).toBe(1);
  });
});

describe('aws-batch', () => {
  const validate = validator('aws-batch');

  test('the requests are valid, and each child runs its shard', () => {
    plan(3);
    const { status, stderr } = start('aws-batch', [...FILE_SYSTEM, '--cpus', '2', '--memory', '4']);
    expect(status, stderr).toBe(0);
    const requests = cluster.requests() as [Definition, Definition, object, object];
    expect(requests).toHaveLength(4);
    for (const request of requests) expectValid(validate, request);
    const [definition, mergeDefinition, array, merge] = requests;
    expect(array).toMatchObject({ arrayProperties: { size: 3 }, jobDefinition: definition.jobDefinitionName });
    expect(merge).toMatchObject({ dependsOn: [{ jobId: expect.stringMatching(/^job-\d+$/) as string }], jobDefinition: mergeDefinition.jobDefinitionName });
    const { command, environment, resourceRequirements } = definition.containerProperties;
    expect(resourceRequirements).toEqual([{ type: 'VCPU', value: '2' }, { type: 'MEMORY', value: '4096' }]);

    const variables = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
    const child = (index: number, status: number): number | null => {
      const [program, ...args] = command;
      return shell(program as 'sh', args, { ...variables, AWS_BATCH_JOB_ARRAY_INDEX: String(index), AWS_BATCH_JOB_ARRAY_SIZE: '3', FAKE_STATUS: String(status) }).status;
    };
    // A child with failed recordings succeeds; otherwise AWS Batch would not start the merge.
    expect([child(0, 0), child(1, 1), child(2, 137)]).toEqual([0, 0, 137]);
    expect(shardsOfCalls(3)).toEqual([0, 1, 2]);
    expect(cluster.calls()[0]!.args).toEqual(['corpus', 'run', cluster.folder]);
  });

  test('the schema refuses what AWS Batch would refuse', () => {
    const job = { jobName: 'a', jobQueue: 'a', jobDefinition: 'a' };
    expect(validate(job)).toBe(true);
    for (const wrong of [{ size: 3 }, { arrayProperties: { size: '3' } }, { jobQueue: undefined }]) {
      expect(validate(JSON.parse(JSON.stringify({ ...job, ...wrong }))), JSON.stringify(wrong)).toBe(false);
    }
  });
});

interface Definition {
  readonly jobDefinitionName: string;
  readonly containerProperties: {
    readonly command: readonly string[];
    readonly environment: readonly { readonly name: string; readonly value: string }[];
    readonly resourceRequirements: readonly object[];
  };
}

describe('flags', () => {
  test('the number of shards comes from the plan', () => {
    plan(7);
    expect(readRequest(['slurm', '--corpus', cluster.folder])!.job.numShards).toBe(7);
    expect(() => readRequest(['slurm', '--corpus', cluster.folder, '--shards', '8'])).toThrow(/--shards is 8, but .* was planned with 7/);
    rmSync(join(cluster.folder, 'plan.json'));
    expect(readRequest(['slurm', '--corpus', cluster.folder])!.job).toMatchObject({ numShards: 16, limit: 16 });
  });

  test.each([
    ['no scheduler', [], /Expected one scheduler: slurm, kubernetes, aws-batch, parallel/],
    ['an unknown scheduler', ['sge'], /the scheduler is sge\. Expected slurm or/],
    ['an unknown flag', ['slurm', '--shard', '4'], /the flag --shard does not exist/],
    ['a flag of another scheduler', ['slurm', '--image', 'x'], /--image does not apply to slurm\. kubernetes and aws-batch and dockerfile have it/],
    ['no shards', ['slurm', '--shards', '0'], /--shards is 0\. Expected a whole number from 1/],
    ['no memory', ['slurm', '--memory', '0'], /--memory is 0\. Expected more than 0/],
    ['a time that is not a number', ['slurm', '--time', '1d'], /--time is 1d\. Expected a number/],
    ['a line break', ['slurm', '--corpus', 'a\nb'], /"a\\nb" has a control character/],
    ['an option as partition', ['slurm', '--partition=a b'], /--partition is "a b"\. Expected letters/],
    ['a relative path in a container', ['kubernetes', '--corpus', 'corpus'], /Expected the absolute path of the corpus folder in the container/],
    ['a corpus outside the volume', ['kubernetes', '--corpus', '/data/corpus', '--mount', '/dat'], /--mount is \/dat\. Expected a folder other than \/ that contains/],
    ['a name in capitals', ['kubernetes', '--name', 'Speech'], /--name is "Speech"\. Expected up to 40 lowercase/],
    ['no file system', ['aws-batch'], /--file-system is missing\. Expected the ID/],
    ['an option that corpus run does not have', ['slurm', '--', '--partition', 'a'], /--partition/],
    ['a shard for all tasks', ['slurm', '--', '--shard', '0/4'], /RUN-OPTIONS may not contain --shard/],
    ['an array of one', ['aws-batch', ...FILE_SYSTEM, '--shards', '1'], /the plan has 1 shards\. AWS Batch accepts 2 to 10000/],
  ])('%s is refused', (_, args, expected) => {
    expect(() => readRequest(args)).toThrow(expected);
  });

  test('--out writes a script that can be started, and refuses a folder', async () => {
    const file = join(cluster.folder, 'job.sh');
    expect(await run(['slurm', '--quiet-not-given'])).toBe(2);
    expect(await run(['slurm', '--out', file])).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(text('slurm'));
    expect(statSync(file).mode & 0o111).not.toBe(0);
    expect(await run(['slurm', '--out', cluster.folder])).toBe(1);
  });
});

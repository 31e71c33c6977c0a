/**
 * Command line: prints a job that runs a planned corpus on an existing scheduler.
 *
 *     voxlane corpus template slurm|kubernetes|aws-batch|parallel|dockerfile [options] [-- RUN-OPTIONS]
 */
import { chmodSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { version } from '../../package.json';
import { number, oneOf } from '../arguments';
import { print, say, writeResult } from '../output';
import { commandOf } from '../script';
import { parsed, parseFlags } from '../usage';
import { corpusFiles } from './layout';
import { parseRun } from './runOptions';
import { awsBatchTemplate } from './templates/awsBatch';
import { dockerfileTemplate } from './templates/dockerfile';
import type { Job } from './templates/job';
import { kubernetesTemplate } from './templates/kubernetes';
import { parallelTemplate } from './templates/parallel';
import { slurmTemplate } from './templates/slurm';

const SCHEDULERS = ['slurm', 'kubernetes', 'aws-batch', 'parallel', 'dockerfile'] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

const TEMPLATES: Readonly<Record<Scheduler, (job: Job) => string>> = {
  slurm: slurmTemplate,
  kubernetes: kubernetesTemplate,
  'aws-batch': awsBatchTemplate,
  parallel: parallelTemplate,
  dockerfile: dockerfileTemplate,
};

export const HELP = `Usage: voxlane corpus template slurm|kubernetes|aws-batch|parallel|dockerfile [options] [-- RUN-OPTIONS]

Prints a commented job that runs a planned corpus: it validates the plan, installs Voxlane, measures
resources, runs one task per shard, and merges the results. dockerfile prints the Dockerfile of the
image for kubernetes and aws-batch. RUN-OPTIONS are options of "corpus run", such as --speed fast.

  --out FILE         write the job to this file
  --corpus DIR       folder of the plan, as the tasks see it (default ./corpus;
                     kubernetes and aws-batch: /data/corpus)
  --shards N         number of shards of the plan (default: read from the plan, else 16)
  --limit N          tasks at a time (default: all shards; parallel: 1). Not for aws-batch, where
                     the compute environment limits them
  --cpus N           cores of a task (default 4)
  --memory GIB       memory of a task (default 8)
  --time HOURS       time limit of a task (default 24)
  --name NAME        name of the jobs (default voxlane)
  --partition NAME   slurm: partition (default: the cluster's)
  --package SPEC     slurm, parallel, dockerfile: npm package or packed file to install; can be
                     repeated (default voxlane@${version})
  --image IMAGE      kubernetes, aws-batch, dockerfile: container image
                     (default voxlane:${version})
  --mount DIR        kubernetes, aws-batch: where containers see the shared volume (default: the
                     folder that contains the corpus)
  --claim NAME       kubernetes: persistent volume claim of that volume (default voxlane)
  --queue NAME       aws-batch: job queue (default voxlane)
  --file-system ID   aws-batch: Elastic File System of that volume; required
  --help             print this text
`;

/** Flags that only some schedulers accept. */
const APPLIES: Readonly<Record<string, readonly Scheduler[]>> = {
  corpus: ['slurm', 'kubernetes', 'aws-batch', 'parallel'],
  shards: ['slurm', 'kubernetes', 'aws-batch', 'parallel'],
  limit: ['slurm', 'kubernetes', 'parallel'],
  cpus: ['slurm', 'kubernetes', 'aws-batch'],
  memory: ['slurm', 'kubernetes', 'aws-batch'],
  time: ['slurm', 'kubernetes', 'aws-batch'],
  name: ['slurm', 'kubernetes', 'aws-batch'],
  partition: ['slurm'],
  package: ['slurm', 'parallel', 'dockerfile'],
  image: ['kubernetes', 'aws-batch', 'dockerfile'],
  mount: ['kubernetes', 'aws-batch'],
  claim: ['kubernetes'],
  queue: ['aws-batch'],
  'file-system': ['aws-batch'],
};

const DEFAULT_SHARDS = 16;
const MAX_SHARDS = 100_000;
/** Limits of array jobs in AWS Batch. */
const AWS_SHARDS = [2, 10_000] as const;
/** Names that Kubernetes, AWS Batch and Slurm accept, with room for a suffix. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

interface Request {
  readonly scheduler: Scheduler;
  readonly job: Job;
  readonly out: string | undefined;
}

/**
 * @param args the arguments after `corpus template`
 * @returns null for `--help`
 * @throws Error with a one-line message
 */
export function readRequest(args: readonly string[]): Request | null {
  const text = { type: 'string' } as const;
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals } = parseFlags({
    args: args.slice(0, end),
    allowPositionals: true,
    options: {
      out: text,
      corpus: text,
      shards: text,
      limit: text,
      cpus: text,
      memory: text,
      time: text,
      name: text,
      partition: text,
      package: { type: 'string', multiple: true },
      image: text,
      mount: text,
      claim: text,
      queue: text,
      'file-system': text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  if (positionals.length !== 1) throw new Error(`Expected one scheduler: ${SCHEDULERS.join(', ')}.`);
  const scheduler = oneOf('the scheduler', positionals[0]!, SCHEDULERS);
  for (const [flag, schedulers] of Object.entries(APPLIES)) {
    if (flag in values && !schedulers.includes(scheduler)) throw new Error(`--${flag} does not apply to ${scheduler}. ${schedulers.join(' and ')} ${schedulers.length === 1 ? 'has' : 'have'} it.`);
  }
  const runOptions = args.slice(end + 1);
  for (const value of [...Object.values(values).flat(), ...runOptions]) {
    // eslint-disable-next-line no-control-regex -- the characters that no path or name of a job may have
    if (typeof value === 'string' && /[\u0000-\u001f\u007f]/.test(value)) throw new Error(`${JSON.stringify(value)} has a control character. Expected one line of text.`);
  }
  checkRunOptions(scheduler, runOptions);
  const corpus = corpusFolder(scheduler, values.corpus);
  const numShards = shardsOf(scheduler, corpus, values.shards);
  const mount = inContainer(scheduler) ? mountOf(corpus, values.mount) : '';
  const fileSystem = values['file-system'] ?? '';
  if (scheduler === 'aws-batch' && !/^fs-[0-9a-f]{8,40}$/.test(fileSystem)) {
    throw new Error(`--file-system is ${fileSystem || 'missing'}. Expected the ID of the file system with the corpus, such as fs-0123456789abcdef0.`);
  }
  const job: Job = {
    name: nameOf('--name', values.name),
    corpus,
    numShards,
    limit: Math.min(whole('--limit', values.limit, scheduler === 'parallel' ? 1 : numShards, MAX_SHARDS), numShards),
    cpus: whole('--cpus', values.cpus, 4, 1024),
    memoryMib: Math.round(positive('--memory', values.memory, 8, 4096) * 1024),
    minutes: Math.ceil(positive('--time', values.time, 24, 24 * 365) * 60),
    runOptions,
    packages: (values.package ?? [`voxlane@${version}`]).map((spec) => nonEmpty('--package', spec)),
    image: word('--image', values.image, `voxlane:${version}`),
    mount,
    partition: values.partition === undefined ? undefined : word('--partition', values.partition, ''),
    claim: nameOf('--claim', values.claim),
    queue: word('--queue', values.queue, 'voxlane'),
    fileSystem,
  };
  return { scheduler, job, out: values.out === undefined ? undefined : nonEmpty('--out', values.out) };
}

/** @throws Error with a one-line message for options that `corpus run` does not accept */
function checkRunOptions(scheduler: Scheduler, runOptions: readonly string[]): void {
  if (runOptions.length === 0) return;
  if (scheduler === 'dockerfile') throw new Error('RUN-OPTIONS do not apply to dockerfile. Give them to the template of a scheduler.');
  const command = parseRun(['corpus', ...runOptions]);
  if (command === 'help' || command.shard !== undefined) throw new Error('RUN-OPTIONS may not contain --shard or --help. The scheduler chooses the shard.');
}

/** The job as a file. Shell scripts begin with `#!`. */
export const jobText = ({ scheduler, job }: Pick<Request, 'scheduler' | 'job'>): string => TEMPLATES[scheduler](job);

const inContainer = (scheduler: Scheduler): boolean => scheduler === 'kubernetes' || scheduler === 'aws-batch';

/** Containers see other paths than this machine, so a relative path means nothing to them. */
function corpusFolder(scheduler: Scheduler, given: string | undefined): string {
  if (!inContainer(scheduler)) return resolve(nonEmpty('--corpus', given ?? 'corpus'));
  const folder = posix.normalize(nonEmpty('--corpus', given ?? '/data/corpus')).replace(/(?<=.)\/$/, '');
  if (!folder.startsWith('/') || folder === '/') throw new Error(`--corpus is ${folder}. Expected the absolute path of the corpus folder in the container, such as /data/corpus.`);
  return folder;
}

function mountOf(corpus: string, given: string | undefined): string {
  const mount = posix.normalize(nonEmpty('--mount', given ?? posix.dirname(corpus))).replace(/(?<=.)\/$/, '');
  if (mount === '/' || !`${corpus}/`.startsWith(`${mount}/`)) {
    throw new Error(`${given === undefined ? `the volume would be mounted at ${mount}` : `--mount is ${mount}`}. Expected a folder other than / that contains ${corpus}.`);
  }
  return mount;
}

/** The plan's number of shards if this machine can read the plan. */
function shardsOf(scheduler: Scheduler, corpus: string, given: string | undefined): number {
  const planned = plannedShards(corpus);
  const shards = whole('--shards', given, planned ?? DEFAULT_SHARDS, MAX_SHARDS);
  if (scheduler !== 'dockerfile' && planned === null && given === undefined) {
    say(`corpus template: this machine finds no plan in ${corpus}, so the job has ${DEFAULT_SHARDS} shards. Plan first, or set --shards.`);
  }
  if (scheduler !== 'dockerfile' && planned !== null && planned !== shards) {
    throw new Error(`--shards is ${shards}, but ${corpus} was planned with ${planned}. Leave --shards out, or plan again.`);
  }
  const [least, most] = AWS_SHARDS;
  if (scheduler === 'aws-batch' && (shards < least || shards > most)) {
    throw new Error(`the plan has ${shards} shards. AWS Batch accepts ${least} to ${most}. Plan again with another number.`);
  }
  return shards;
}

/** null if there is no readable plan; the job itself reports that. */
function plannedShards(corpus: string): number | null {
  try {
    const { numShards } = JSON.parse(readFileSync(corpusFiles(corpus).plan, 'utf8')) as { readonly numShards?: unknown };
    return typeof numShards === 'number' ? numShards : null;
  } catch {
    return null;
  }
}

function positive(flag: string, text: string | undefined, byDefault: number, most: number): number {
  const value = number(flag, text) ?? byDefault;
  if (!(value > 0 && value <= most)) throw new Error(`${flag} is ${value}. Expected more than 0 and at most ${most}.`);
  return value;
}

function whole(flag: string, text: string | undefined, byDefault: number, most: number): number {
  const value = number(flag, text) ?? byDefault;
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Error(`${flag} is ${value}. Expected a whole number from 1 to ${most}.`);
  return value;
}

function nonEmpty(flag: string, text: string): string {
  if (text.trim() === '') throw new Error(`${flag} is empty. Expected a value.`);
  return text;
}

/** A value without white space or quotes. */
function word(flag: string, text: string | undefined, byDefault: string): string {
  const value = text ?? byDefault;
  if (!/^[\w./:@,+=-]+$/.test(value)) throw new Error(`${flag} is "${value}". Expected letters, digits and . / : @ , + = - _.`);
  return value;
}

function nameOf(flag: string, text: string | undefined): string {
  const value = text ?? 'voxlane';
  if (!NAME.test(value)) throw new Error(`${flag} is "${value}". Expected up to 40 lowercase letters, digits and hyphens.`);
  return value;
}

async function main(args: readonly string[]): Promise<number> {
  const request = parsed(() => readRequest(args));
  if (request === null) {
    await print(HELP);
    return 0;
  }
  const text = jobText(request);
  if (request.out === undefined) {
    await print(text);
    return 0;
  }
  writeResult(request.out, text);
  if (text.startsWith('#!')) chmodSync(request.out, 0o755);
  say(`${request.out} is written. Its first lines say how to start it.`);
  return 0;
}

export const run = commandOf('corpus template', 1, main);

/** Programs that stand in for job schedulers and for Voxlane, to run job templates without a cluster. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One start of the stand-in for Voxlane. */
export interface Call {
  readonly args: readonly string[];
  /** The variables of job schedulers. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface FakeCluster {
  readonly folder: string;
  /** `PATH` with the stand-ins first, `VOXLANE`, and no variables of a scheduler. */
  readonly environment: NodeJS.ProcessEnv;
  readonly voxlane: string;
  /** Starts of `voxlane corpus …`, by time. */
  calls(): Call[];
  /** JSON inputs of `aws`, by time. */
  requests(): unknown[];
}

const VARIABLES = 'SLURM_ARRAY_TASK_ID|SLURM_ARRAY_TASK_COUNT|SLURM_ARRAY_TASK_MIN|SLURM_ARRAY_TASK_MAX|JOB_COMPLETION_INDEX|AWS_BATCH_JOB_ARRAY_INDEX|AWS_BATCH_JOB_ARRAY_SIZE';

/** Exits with `FAKE_STATUS`. */
const VOXLANE = `#!/bin/sh
[ "$1" = --version ] && echo 0.0.0 && exit 0
file=$(mktemp "$CALLS/XXXXXX")
printf '%s\\n' "$@" > "$file.args"
env | grep -E '^(${VARIABLES})=' > "$file.env"
date +%s%N > "$file"
exit "\${FAKE_STATUS:-0}"
`;

/** Runs the tasks of an array at once, one after the other. */
const SBATCH = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$SUBMITTED"
while [[ $1 == --* ]]; do
  case $1 in --array=*) array=\${1#--array=} ;; esac
  shift
done
if [[ -n \${array:-} ]]; then
  [[ $array =~ ^([0-9]+)-([0-9]+)%([0-9]+)$ ]] || exit 1
  first=\${BASH_REMATCH[1]} last=\${BASH_REMATCH[2]}
  for ((task = first; task <= last; task++)); do
    SLURM_JOB_ID=$((100 + task)) SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$((last - first + 1)) \\
      SLURM_ARRAY_TASK_MIN=$first SLURM_ARRAY_TASK_MAX=$last bash "$@" >&2 || true
  done
else
  bash "$@" >&2
fi
echo "$RANDOM;cluster"
`;

const SCONTROL = `#!/bin/sh
printf 'scontrol %s\\n' "$*" >> "$SUBMITTED"
`;

const AWS = `#!/usr/bin/env bash
while (($# > 0)); do
  if [[ $1 == --cli-input-json ]]; then printf '%s\\0' "$2" >> "$REQUESTS"; fi
  shift
done
echo "job-$RANDOM"
`;

/** @param folderName name of a folder in a new temporary folder, to test quoting */
export function fakeCluster(folderName: string): FakeCluster {
  const root = mkdtempSync(join(tmpdir(), 'voxlane-fake-'));
  const folder = join(root, folderName);
  const bin = join(root, 'bin');
  const calls = join(root, 'calls');
  const requests = join(root, 'requests');
  for (const each of [folder, bin, calls]) mkdirSync(each);
  for (const [name, text] of Object.entries({ voxlane: VOXLANE, sbatch: SBATCH, scontrol: SCONTROL, aws: AWS })) {
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
  const voxlane = join(bin, 'voxlane');
  const kept = Object.entries(process.env).filter(([name]) => !new RegExp(`^(${VARIABLES})$`).test(name));
  const environment = {
    ...Object.fromEntries(kept),
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    VOXLANE: voxlane,
    CALLS: calls,
    SUBMITTED: join(root, 'submitted'),
    REQUESTS: requests,
  };
  return {
    folder,
    environment,
    voxlane,
    calls() {
      const read = (name: string): string => readFileSync(join(calls, name), 'utf8');
      const starts = readdirSync(calls).filter((name) => !name.includes('.'));
      const byTime = starts.sort((one, other) => (BigInt(read(one)) < BigInt(read(other)) ? -1 : 1));
      return byTime.map((name) => ({
        args: read(`${name}.args`).trimEnd().split('\n'),
        environment: Object.fromEntries(read(`${name}.env`).split('\n').filter(Boolean).map((line) => line.split('=', 2) as [string, string])),
      }));
    },
    requests: () => readFileSync(requests, 'utf8').split('\0').filter(Boolean).map((text) => JSON.parse(text) as unknown),
  };
}

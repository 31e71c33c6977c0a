/** A script for AWS Batch: two job definitions, an array job with one child per shard, and a job that merges the results. */
import { BAD_INPUT_EXIT, MEASURE, shellWords, VALIDATE, type Job } from './job';

/** Attempts per child job, including the first. */
const ATTEMPTS = 4;

export function awsBatchTemplate(job: Job): string {
  const { name, numShards, queue } = job;
  const merge = `${name}-merge`;
  return `#!/usr/bin/env bash
# Diarizes a planned corpus with AWS Batch: an array job with one child per shard, then a job that merges the results.
#
#   bash FILE      registers the job definitions and submits both jobs; needs the AWS CLI, version 2
#
# The queue's compute environment needs instances (not Fargate). Its number of vCPUs limits how many children run at a time.
# The file system must contain the corpus and the recordings under the paths that "corpus plan" saw.
# Finished recordings are never repeated: to continue after a failure, start this file again.
set -euo pipefail

# Commands of a child.
run_script=$(cat <<'SH'
${runScript(job)}
SH
)
merge_script=$(cat <<'SH'
${MERGE}
SH
)
quoted() { node -p 'JSON.stringify(process.argv[1])' "$1"; }

# A child runs again if its instance ends, or if it is killed (137), such as for lack of memory.
# ${BAD_INPUT_EXIT}: bad input. 2: wrong usage. A retry would not help.
run_definition=$(cat <<JSON
${json(definition(job, name, 'run_script', job))}
JSON
)
merge_definition=$(cat <<JSON
${json(definition(job, merge, 'merge_script', { cpus: 1, memoryMib: 2048, minutes: 120 }))}
JSON
)
array_job=$(cat <<JSON
${json({ jobName: name, jobQueue: queue, jobDefinition: name, arrayProperties: { size: numShards } })}
JSON
)

aws batch register-job-definition --cli-input-json "$run_definition" --query jobDefinitionArn --output text
aws batch register-job-definition --cli-input-json "$merge_definition" --query jobDefinitionArn --output text
array=$(aws batch submit-job --cli-input-json "$array_job" --query jobId --output text)

# AWS Batch starts the merge if all children succeed. Children with failed recordings succeed; the merge names the recordings.
merge_job=$(cat <<JSON
${json({ jobName: merge, jobQueue: queue, jobDefinition: merge, dependsOn: [{ jobId: new Expansion('"$array"') }] })}
JSON
)
merge=$(aws batch submit-job --cli-input-json "$merge_job" --query jobId --output text)
echo "array job: $array, merge job: $merge"
`;
}

const runScript = ({ runOptions }: Job): string => `# 1. Validate, before anything expensive.
${VALIDATE}
# 2. Install: the image contains Voxlane.
# 3. Measure resources. Voxlane chooses the number of workers from them.
${MEASURE}
# 4. Run. Voxlane reads the shard from AWS_BATCH_JOB_ARRAY_INDEX.
# The shell stays until the end, so it passes SIGTERM on.
voxlane corpus run "$corpus"${shellWords(runOptions)} &
pid=$!
trap 'kill -TERM "$pid"' TERM
status=0
wait "$pid" || status=$?
while kill -0 "$pid" 2>/dev/null; do status=0; wait "$pid" || status=$?; done
# 1: some recordings failed and are recorded. The job still succeeds, so that the merge can start.
if [ "$status" -eq 1 ]; then exit 0; fi
exit "$status"`;

const MERGE = `voxlane corpus status "$corpus" || true
exec voxlane corpus merge "$corpus"`;

interface Size {
  readonly cpus: number;
  readonly memoryMib: number;
  readonly minutes: number;
}

const definition = ({ image, corpus, numShards, mount, fileSystem }: Job, name: string, variable: 'run_script' | 'merge_script', { cpus, memoryMib, minutes }: Size) => ({
  jobDefinitionName: name,
  type: 'container',
  platformCapabilities: ['EC2'],
  containerProperties: {
    image,
    command: ['sh', '-c', new Expansion(`$(quoted "$${variable}")`)],
    environment: [
      { name: 'corpus', value: corpus },
      { name: 'shards', value: String(numShards) },
    ],
    resourceRequirements: [
      { type: 'VCPU', value: String(cpus) },
      { type: 'MEMORY', value: String(memoryMib) },
    ],
    volumes: [{ name: 'corpus', efsVolumeConfiguration: { fileSystemId: fileSystem, transitEncryption: 'ENABLED' } }],
    mountPoints: [{ sourceVolume: 'corpus', containerPath: mount }],
  },
  retryStrategy: {
    attempts: ATTEMPTS,
    evaluateOnExit: [
      { onStatusReason: 'Host EC2*', action: 'RETRY' },
      { onExitCode: '137', action: 'RETRY' },
      { onReason: '*', action: 'EXIT' },
    ],
  },
  timeout: { attemptDurationSeconds: minutes * 60 },
});

/** Shell code that prints a JSON value. */
class Expansion {
  constructor(readonly code: string) {}
}

/** JSON for a here-document in which the shell expands only each {@link Expansion}. */
function json(value: object): string {
  const expansions: string[] = [];
  const mark = (_: string, item: unknown): unknown => (item instanceof Expansion ? `\u0000${expansions.push(item.code) - 1}` : item);
  return JSON.stringify(value, mark, 2).replace(/"\\u0000(\d+)"|[\\$`]/g, (match, index?: string) =>
    index === undefined ? `\\${match}` : expansions[Number(index)]!,
  );
}

/** A job for Slurm: a script that submits an array with one task per shard, and a job that merges their results. */
import { indented, MEASURE, shellWord, shellWords, VALIDATE, type Job } from './job';

/** Seconds between the signal and the time limit of a task. `corpus run` stops within 10 s. */
const STOP_SECONDS = 60;
/** Prevents endless repetition of a task that needs more memory than it gets. */
const MAX_RESTARTS = 5;

export const slurmTemplate = ({ name, corpus, numShards, limit, cpus, memoryMib, minutes, packages, partition, runOptions }: Job): string => `#!/usr/bin/env bash
# Diarizes a planned corpus with Slurm: an array with one task per shard, then a job that merges the results.
#
#   bash FILE      validates the plan, installs Voxlane and submits both jobs
#
# Finished recordings are never repeated. To continue after a failure, start this file again.
# Progress: voxlane corpus status ${shellWord(corpus)}
set -euo pipefail

corpus=${shellWord(corpus)}
shards=${numShards}
packages=(${packages.map(shellWord).join(' ')})

# Where Voxlane is installed. All nodes must see this folder, the corpus and the recordings under the same paths.
software=$corpus/software
# Set VOXLANE to use another installation.
voxlane=\${VOXLANE:-$software/node_modules/.bin/voxlane}

common_options=(${partition === undefined ? '' : `\n  --partition=${shellWord(partition)}`}
  --nodes=1
  --ntasks=1
  # A task that is preempted, or whose node fails, goes back to the queue.
  --requeue
  # The log of a task continues after a restart.
  --open-mode=append
)
array_options=(
  --job-name=${shellWord(name)}
  # At most ${limit} ${limit === 1 ? 'task' : 'tasks'} at a time.
  --array="0-$((shards - 1))%${limit}"
  --cpus-per-task=${cpus}
  --mem=${memoryMib}M
  --time=${minutes}
  # One minute before the time limit, the task stops cleanly and goes back to the queue.
  --signal=B:USR1@${STOP_SECONDS}
)
merge_options=(
  --job-name=${shellWord(`${name}-merge`)}
  --cpus-per-task=1
  --mem=2048M
  --time=120
)

# 1. Validate, before anything expensive.
validate() {
${indented(VALIDATE, 2)}
}

# 2. Install once, on the machine that submits.
install() {
  if [ ! -x "$voxlane" ]; then
    npm install --prefix "$software" --no-audit --no-fund "\${packages[@]}"
  fi
  "$voxlane" --version
}

submit() {
  validate
  install
  local logs=$corpus/logs array merge
  mkdir -p "$logs"
  # sbatch replaces %A and %a. A percent sign of the path is written twice.
  array=$(sbatch --parsable "\${common_options[@]}" "\${array_options[@]}" --output="\${logs//%/%%}/%A_%a.log" "$0" task)
  # afterany: merge after failed tasks too. The merge then names the recordings that are missing.
  merge=$(sbatch --parsable "\${common_options[@]}" "\${merge_options[@]}" --output="\${logs//%/%%}/%A_merge.log" \\
    --dependency="afterany:\${array%%;*}" "$0" merge)
  echo "array job: \${array%%;*}, merge job: \${merge%%;*}, logs: $logs"
}

# 3. Measure resources. Voxlane chooses the number of workers from them.
measure() {
${indented(MEASURE, 2)}
}

# 4. Run. Voxlane reads the shard from SLURM_ARRAY_TASK_ID.
task() {
  validate
  measure
  local is_out_of_time=0 status=0
  "$voxlane" corpus run "$corpus"${shellWords(runOptions)} &
  local pid=$!
  trap 'kill -TERM "$pid" 2>/dev/null' TERM
  trap 'is_out_of_time=1; kill -TERM "$pid" 2>/dev/null' USR1
  # A signal ends \`wait\` early.
  wait "$pid" || status=$?
  while kill -0 "$pid" 2>/dev/null; do
    status=0
    wait "$pid" || status=$?
  done
  # 137: killed, which is usually lack of memory. Canceled tasks are not repeated.
  if ((is_out_of_time || status == 137)); then
    if ((\${SLURM_RESTART_COUNT:-0} < ${MAX_RESTARTS})); then
      scontrol requeue "$SLURM_JOB_ID"
    fi
  fi
  exit "$status"
}

case \${1:-submit} in
  submit) submit ;;
  task) task ;;
  merge)
    "$voxlane" corpus status "$corpus" || true
    exec "$voxlane" corpus merge "$corpus"
    ;;
  *)
    echo "Usage: bash $0" >&2
    exit 2
    ;;
esac
`;

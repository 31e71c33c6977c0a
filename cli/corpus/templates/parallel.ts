/** A script for GNU parallel: one job per shard on this machine or on several, then the merge. */
import { indented, MEASURE, shellWord, shellWords, VALIDATE, type Job } from './job';

export const parallelTemplate = ({ corpus, numShards, limit, packages, runOptions }: Job): string => `#!/usr/bin/env bash
# Diarizes a planned corpus with GNU parallel, then merges the results.
#
#   bash FILE
#
# Finished recordings are never repeated. To continue after a failure, start this file again: GNU parallel repeats only
# shards that failed or did not run. Progress: voxlane corpus status ${shellWord(corpus)}
set -euo pipefail

corpus=${shellWord(corpus)}
shards=${numShards}
packages=(${packages.map(shellWord).join(' ')})

# Where Voxlane is installed. With several machines, all must see this folder, the corpus and the recordings.
software=$corpus/software
# Set VOXLANE to use another installation.
voxlane=\${VOXLANE:-$software/node_modules/.bin/voxlane}

# 1. Validate, before anything expensive.
validate() {
${indented(VALIDATE, 2)}
}

# 2. Install.
install() {
  if [ ! -x "$voxlane" ]; then
    npm install --prefix "$software" --no-audit --no-fund "\${packages[@]}"
  fi
  "$voxlane" --version
}

# 3. Measure resources. Voxlane chooses the number of workers from them.
measure() {
${indented(MEASURE, 2)}
}

# 4. Run.
run() {
  # A new plan or version has a log of its own.
  local log
  log=$corpus/parallel-$({ "$voxlane" --version; cat "$corpus/plan.json" "$corpus/manifest.jsonl"; } | cksum | cut -d ' ' -f 1).log
  local options=(
    # The exit status of each shard. --resume-failed reads it when this file starts again.
    --joblog "$log"
    --resume-failed
    # At most ${limit} ${limit === 1 ? 'shard' : 'shards'} at a time per machine. One shard uses all cores.
    --jobs ${limit}
    # After Ctrl+C, or a second SIGTERM, shards get SIGTERM, and SIGKILL after 20 s.
    --termseq 'TERM,20000,KILL,25'
    --line-buffer
    --tagstring 'shard {}'
    # For several machines, one host name per line in hosts.txt:
    # --sshloginfile hosts.txt
  )
  # GNU parallel quotes {} only; printf quotes the rest.
  seq 0 "$((shards - 1))" | parallel "\${options[@]}" "$(printf '%q ' "$voxlane" corpus run "$corpus"${shellWords(runOptions)})--shard {}/$shards"
}

validate
install
measure
# Status 1 to 100: shards with failed recordings, which the failures of the corpus name. The merge names what is missing.
run || echo "shards with failures: $?" >&2
"$voxlane" corpus status "$corpus" || true
exec "$voxlane" corpus merge "$corpus"
`;

/** What the job templates share: their parameters, and quoting. */

/** Parameters of a job. Paths and names have no control characters. */
export interface Job {
  readonly name: string;
  /** Corpus folder, as the tasks see it. */
  readonly corpus: string;
  readonly numShards: number;
  /** Tasks that run at a time. */
  readonly limit: number;
  /** Of one task. */
  readonly cpus: number;
  /** Memory of one task, in MiB. */
  readonly memoryMib: number;
  /** Time limit of one task. */
  readonly minutes: number;
  /** For `corpus run`, such as `--speed fast`. */
  readonly runOptions: readonly string[];
  /** npm packages or packed files to install. */
  readonly packages: readonly string[];
  /** Container image. */
  readonly image: string;
  /** Folder at which containers see the shared volume. */
  readonly mount: string;
  readonly partition: string | undefined;
  /** Persistent volume claim of Kubernetes. */
  readonly claim: string;
  /** Job queue of AWS Batch. */
  readonly queue: string;
  /** Elastic File System of AWS. */
  readonly fileSystem: string;
}

/** One word for a POSIX shell. */
export const shellWord = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** Words for a POSIX shell, with a leading space if there are any. */
export const shellWords = (words: readonly string[]): string => words.map((word) => ` ${shellWord(word)}`).join('');

/** A string in YAML. JSON strings are YAML strings. */
export const yamlString = (text: string): string => JSON.stringify(text);

/** Indents all lines of a block except empty ones. */
export const indented = (text: string, spaces: number): string => text.replace(/^(?=.)/gm, ' '.repeat(spaces));

/** Exit status of the validation. Schedulers do not repeat a task that ends with it. */
export const BAD_INPUT_EXIT = 42;

/**
 * Shell commands that check the plan before anything expensive: it exists, and has as many shards as the job has tasks.
 * They expect the variables `corpus` and `shards`.
 */
export const VALIDATE = `if ! [ -r "$corpus/plan.json" ] || ! [ -r "$corpus/manifest.jsonl" ]; then
  echo "$corpus has no plan. Run: voxlane corpus plan INPUT... --out DIR --shards $shards" >&2
  exit ${BAD_INPUT_EXIT}
fi
planned=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).numShards' "$corpus/plan.json")
if [ "$planned" != "$shards" ]; then
  echo "$corpus was planned with $planned shards, but this job has $shards tasks. Write the job again with --shards $planned." >&2
  exit ${BAD_INPUT_EXIT}
fi
if ! mkdir -p "$corpus/results" || ! [ -w "$corpus/results" ]; then
  echo "Results cannot be written to $corpus/results." >&2
  exit ${BAD_INPUT_EXIT}
fi`;

/** Shell commands that print the resources of a task, for its log. They expect the variable `corpus`. */
export const MEASURE = `echo "host: $(uname -n), $(nproc) cores"
echo "memory limit: $(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo none), of the machine: $(awk '/MemTotal/ { print int($2 / 1024) " MiB" }' /proc/meminfo)"
echo "free disk space of the corpus: $(df -Ph "$corpus" | awk 'NR == 2 { print $4 }')"
if command -v nvidia-smi >/dev/null; then nvidia-smi -L; else echo "GPU: none"; fi`;

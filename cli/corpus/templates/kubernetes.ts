/** Jobs for Kubernetes: an Indexed Job with one index per shard, and a suspended job that merges the results. */
import { BAD_INPUT_EXIT, indented, MEASURE, shellWords, VALIDATE, yamlString, type Job } from './job';

/** Pods get SIGKILL so long after SIGTERM. `corpus run` stops within 10 s. */
const GRACE_SECONDS = 30;
/** Repetitions of an index whose pod crashed. */
const RETRIES_PER_INDEX = 3;

export function kubernetesTemplate(job: Job): string {
  const { name, numShards, limit, minutes } = job;
  return `# Diarizes a planned corpus with Kubernetes 1.33 or later: an Indexed Job with one index per shard, then a job that merges the
# results.
#
#   kubectl apply -f FILE
#   until kubectl get job/${name} -o jsonpath='{.status.conditions[*].type}' | grep -Eq 'Complete|Failed'; do sleep 30; done
#   kubectl patch job/${name}-merge --type=merge --patch '{"spec":{"suspend":false}}'
#   kubectl logs --follow job/${name}-merge
#
# If indexes failed, the merge names the recordings that are missing. Finished recordings are never repeated: to continue,
# delete both jobs and apply this file again.
#
# The volume must contain the corpus and the recordings under the paths that "corpus plan" saw.
apiVersion: batch/v1
kind: Job
metadata:
  name: ${yamlString(name)}
spec:
  completionMode: Indexed
  # One index per shard, at most ${limit} at a time.
  completions: ${numShards}
  parallelism: ${limit}
  # An index whose pod crashes, such as for lack of memory, runs again. Other indexes continue.
  backoffLimitPerIndex: ${RETRIES_PER_INDEX}
  maxFailedIndexes: ${numShards}
  # The retry starts when the pod has ended, so that no shard runs twice.
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
      # Evicted and preempted pods do not count as failures.
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: "True"
      # 1: some recordings failed and are recorded. ${BAD_INPUT_EXIT}: bad input. A retry would not help.
      - action: FailIndex
        onExitCodes:
          operator: In
          values: [1, ${BAD_INPUT_EXIT}]
      # 2: wrong usage, which is the same for every index.
      - action: FailJob
        onExitCodes:
          operator: In
          values: [2]
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: ${GRACE_SECONDS}
      # Time limit of one attempt.
      activeDeadlineSeconds: ${minutes * 60}
${indented(SECURITY, 6)}
      initContainers:
        # 1. Validate, before anything expensive.
        - name: validate
${indented(container(job, VALIDATE, { cpus: 0.5, memoryMib: 256 }), 10)}
      containers:
        # 2. Install: the image contains Voxlane.
        - name: run
${indented(container(job, runScript(job), job), 10)}
${indented(volumes(job), 6)}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: ${yamlString(`${name}-merge`)}
spec:
  # Starts with the patch command above.
  suspend: true
  backoffLimit: 2
  podFailurePolicy:
    rules:
      - action: FailJob
        onExitCodes:
          operator: In
          values: [1, 2, ${BAD_INPUT_EXIT}]
  template:
    spec:
      restartPolicy: Never
${indented(SECURITY, 6)}
      containers:
        - name: merge
${indented(container(job, MERGE, { cpus: 1, memoryMib: 2048 }), 10)}
${indented(volumes(job), 6)}
`;
}

const SECURITY = `securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch`;

/** Kubernetes replaces `$(NAME)` and `$$` in arguments and variables. The script itself uses no variable names in `$(…)`. */
const escaped = (text: string): string => text.replaceAll('$', () => '$$');

const runScript = ({ runOptions }: Job): string => `# 3. Measure resources. Voxlane chooses the number of workers from them.
${MEASURE}
# 4. Run. Voxlane reads the shard from JOB_COMPLETION_INDEX.
exec voxlane corpus run "$corpus"${escaped(shellWords(runOptions))}`;

const MERGE = `voxlane corpus status "$corpus" || true
exec voxlane corpus merge "$corpus"`;

const container = ({ image, corpus, numShards, mount }: Job, script: string, { cpus, memoryMib }: Pick<Job, 'cpus' | 'memoryMib'>): string => `image: ${yamlString(image)}
# tini passes SIGTERM on and collects ended processes.
command: ["tini", "--", "sh", "-c"]
args:
  - |
${indented(script, 4)}
env:
  - name: corpus
    value: ${yamlString(escaped(corpus))}
  - name: shards
    value: "${numShards}"
resources:
  requests:
    cpu: "${cpus}"
    memory: ${memoryMib}Mi
  limits:
    memory: ${memoryMib}Mi
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: corpus
    mountPath: ${yamlString(mount)}`;

const volumes = ({ claim }: Job): string => `volumes:
  - name: corpus
    persistentVolumeClaim:
      claimName: ${yamlString(claim)}`;

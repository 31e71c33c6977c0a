import { moved } from '../../workers/moved';
import { spawnClusteringWorker } from '../../workers/spawn';
import { INACTIVE, type SpeakerBounds } from '../clustering/cluster';
import type { Assembly, AssemblyFacts } from '../diarization/assemble';
import { speakerLabels } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import { nameSpeakers } from './describe';
import { cancelled, untilAborted } from './engine';
import { modelsBase } from './fileBases';
import { checkNames } from './optionNames';
import { checkBounds, checkClustering, checkMinDurations } from './options';
import { minDurationsOf } from './preview';
import { PRESETS, settingsOf, type ClusteringName, type PipelineSettings } from './settings';
import { checkPairOfStages, nameOf, wrongInput } from './singleStagesChecks';
import { speakerCountOf } from './speakerCount';
import type { ClusterOptions, Segmentation, VoiceClusters, VoiceEmbeddings } from './singleStagesTypes';

const NAMES = Object.keys({
  clustering: true,
  maxSpeakers: true,
  minDurationOn: true,
  minDurationOff: true,
  minSpeakers: true,
  models: true,
  signal: true,
  speakers: true,
} satisfies Record<keyof ClusterOptions, true>);

/** Windows that are sent to the worker at a time: 4 MB, which the calling thread copies in a few milliseconds. */
const WINDOWS_AT_ONCE = 1024;

/**
 * Who is who over all windows, and who spoke when: the last stages of {@link Diarizer.diarize} by themselves, in a worker
 * of their own, which ends with the call. No model is loaded. For another number of speakers again and again, there is
 * {@link Reclusterer}.
 *
 * @param segmentation as {@link segment} gave it
 * @param embeddings as {@link embed} gave them of it; the preset's settings are those that belong to their model
 * @throws VoxlaneError `options`, also where the two do not belong together; `model-*` for the preset's PLDA,
 *   `worker-failed`, `cancelled`
 */
export async function cluster(
  segmentation: Segmentation,
  embeddings: VoiceEmbeddings,
  options: ClusterOptions = {},
): Promise<VoiceClusters> {
  checkNames(options, NAMES);
  checkPairOfStages(segmentation, embeddings);
  const bounds = checkBounds(options);
  const settings = settingsFor(embeddings, checkClustering(options.clustering));
  const { clustering } = settings;
  const dimension = embeddings.shape[2];
  const facts: AssemblyFacts = {
    numSpeakers: segmentation.shape[2],
    dimension,
    geometry: segmentation.geometry,
    options: { ...clustering, ...bounds },
    minCleanFrames: embeddings.minCleanFrames,
    minDurations: minDurationsOf(settings, checkMinDurations(options)),
  };
  if (options.signal?.aborted) throw cancelled(options.signal);
  const base = clustering.method !== 'agglomerative' ? await modelsBase(options) : '';
  const worker = spawnClusteringWorker();
  const stop = (reason: VoxlaneError): void => {
    worker.terminate(reason);
  };
  try {
    return await untilAborted(options.signal, stop, async () => {
      if (clustering.method !== 'agglomerative') await worker.call((api) => api.load(clustering.plda, base));
      await worker.call((api) => api.begin());
      await send(segmentation, embeddings, worker);
      const assembly = await worker.call((api) => api.assemble(facts));
      return describe(assembly, segmentation, { dimension, embeddingModel: embeddings.model.sha256 }, bounds);
    });
  } finally {
    stop(cancelled());
  }
}

/** @throws VoxlaneError `options` */
function settingsFor({ preset, model, segmentationModel }: VoiceEmbeddings, clustering: ClusteringName): PipelineSettings {
  // What came back from a store may be of another release.
  const settings = Object.hasOwn(PRESETS, preset) ? settingsOf(preset, clustering) : null;
  if (settings?.embedding === model.id && settings.segmentation === segmentationModel.id) return settings;
  throw wrongInput(
    `The embeddings say that they are of the preset ${preset}, and of ${nameOf(segmentationModel)} and ${nameOf(model)}`,
    `a preset with its own models: ${Object.values(PRESETS).map((one) => `${one.preset}, of ${one.segmentation} and ${one.embedding}`).join('; ')}`,
    'Give them as embed() gave them',
  );
}

/** Piece by piece, because the calling thread copies each. */
async function send(
  { data: activity, shape }: Segmentation,
  { data: embeddings }: VoiceEmbeddings,
  worker: ReturnType<typeof spawnClusteringWorker>,
): Promise<void> {
  const [numWindows] = shape;
  for (let from = 0; from < numWindows; from += WINDOWS_AT_ONCE) {
    const end = Math.min(numWindows, from + WINDOWS_AT_ONCE);
    const part = <Values extends Uint8Array | Float32Array>(values: Values): Values => {
      const cells = values.length / numWindows;
      return values.slice(from * cells, end * cells) as Values;
    };
    const parts = { activity: part(activity), embeddings: part(embeddings), embedded: new Uint8Array(end - from).fill(1) };
    await worker.call((api) => api.append(moved(parts, parts.activity, parts.embeddings, parts.embedded)));
  }
}

/** @param assembly null where nobody spoke */
function describe(
  assembly: Assembly | null,
  { shape: [numWindows, , numSpeakers] }: Segmentation,
  facts: { readonly dimension: number; readonly embeddingModel: string },
  bounds: SpeakerBounds,
): VoiceClusters {
  const centroids = assembly?.centroids ?? [];
  const rows = new Float64Array(centroids.length * facts.dimension);
  centroids.forEach((row, index) => { rows.set(row, index * facts.dimension); });
  const named = nameSpeakers(assembly, 0, facts);
  const names = speakerLabels(assembly?.turns ?? []);
  return {
    hardClusters: {
      axes: ['window', 'speaker'],
      shape: [numWindows, numSpeakers],
      data: assembly?.hardClusters ?? new Int32Array(numWindows * numSpeakers).fill(INACTIVE),
    },
    centroids: { axes: ['cluster', 'dimension'], shape: [centroids.length, facts.dimension], data: rows },
    labels: centroids.map((_, index) => names.get(index) ?? null),
    ...named,
    speakerCount: speakerCountOf(named.speakers.length, assembly?.counts ?? [], bounds),
    confidenceKind: assembly?.confidenceKind ?? 'margin',
  };
}

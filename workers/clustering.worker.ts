import { readAnyPlda, type AnyPlda } from '../src/clustering/plda';
import type { Dendrogram } from '../src/clustering/dendrogram';
import { Assembler, type AssemblyOptions } from '../src/timeline/assembler';
import { loadPldaFile } from '../src/store/plda';
import { GrowingArray } from '../src/util/values';
import type { ClusteringWorkerApi } from './contracts';
import { moved, serve } from './protocol';

let plda: AnyPlda | null = null;
let held = emptyRecording();
/** Of the last assembly. Cached because it is small and takes long to compute for a long recording. */
let dendrogram: Dendrogram | null = null;
/** Serves one speaker count after another. */
let prepared: Assembler | null = null;

function emptyRecording() {
  return {
    activity: new GrowingArray(Uint8Array),
    embeddings: new GrowingArray(Float32Array),
    embedded: new GrowingArray(Uint8Array),
    strongest: new GrowingArray(Uint8Array),
  };
}

/** Null if there is no speech. */
function assemblerOf(facts: AssemblyOptions, known: Dendrogram | null): Assembler | null {
  const [activity, embeddings, embedded] = [held.activity.view(), held.embeddings.view(), held.embedded.view()];
  return activity.includes(1) ? new Assembler({ ...facts, activity, embeddings, embedded, ...strongestOf(held.strongest.view()) }, plda, known) : null;
}

/** Only recordings whose local speakers are the same in all windows have it. */
const strongestOf = <Values extends Uint8Array>(strongest: Values): { readonly strongest?: Values } => (strongest.length > 0 ? { strongest } : {});

function forget(): void {
  held = emptyRecording();
  dendrogram = null;
  prepared = null;
}

serve<ClusteringWorkerApi>({
  async load(pldaId, modelsBase) {
    const { manifest, bytes } = await loadPldaFile(pldaId, modelsBase);
    plda = readAnyPlda(manifest, bytes);
  },
  begin() {
    forget();
  },
  append({ activity, embeddings, embedded, strongest }) {
    held.activity.append(activity);
    held.embeddings.append(embeddings);
    held.embedded.append(embedded);
    if (strongest) held.strongest.append(strongest);
  },
  assemble(facts) {
    const assembler = assemblerOf(facts, null);
    if (!assembler) return null;
    const assembly = assembler.assemble(facts.options);
    dendrogram = assembler.dendrogram;
    return moved(assembly, assembly.count, assembly.hardClusters, assembly.diarization.data);
  },
  take() {
    const taken = {
      activity: held.activity.toArray(),
      embeddings: held.embeddings.toArray(),
      embedded: held.embedded.toArray(),
      ...strongestOf(held.strongest.toArray()),
      dendrogram,
    };
    forget();
    return moved(taken, taken.activity, taken.embeddings, taken.embedded, ...(taken.strongest ? [taken.strongest] : []));
  },
  prepare(facts, known) {
    prepared = assemblerOf(facts, known);
    prepared?.warm();
  },
  anticipate() {
    return prepared?.anticipate() ?? false;
  },
  reassemble(bounds, constraints, minDurations) {
    const start = performance.now();
    if (!prepared) return null;
    const { turns, exclusiveTurns, centroids, confidenceKind, labelOrder, counts, constraintClusters } = prepared.assemble(bounds, constraints, minDurations);
    const seconds = (performance.now() - start) / 1000;
    return { turns, exclusiveTurns, centroids, confidenceKind, labelOrder, ...(counts && { counts }), ...(constraintClusters && { constraintClusters }), seconds };
  },
});

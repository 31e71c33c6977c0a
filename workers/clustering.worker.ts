import { readPlda, type Plda } from '../src/clustering/plda';
import { assemble } from '../src/diarization/assemble';
import { loadPldaFile } from '../src/store/loadPlda';
import { GrowingArray } from '../src/util/growingArray';
import type { ClusteringWorkerApi } from './contracts';
import { serve } from './expose';
import { moved } from './moved';

let plda: Plda | null = null;
let held = emptyRecording();

function emptyRecording() {
  return {
    activity: new GrowingArray(Uint8Array),
    embeddings: new GrowingArray(Float32Array),
    embedded: new GrowingArray(Uint8Array),
  };
}

serve<ClusteringWorkerApi>({
  async load(pldaId, modelsBase) {
    const { manifest, bytes } = await loadPldaFile(pldaId, modelsBase);
    plda = readPlda(manifest, bytes);
  },
  begin() {
    held = emptyRecording();
  },
  append({ activity, embeddings, embedded }) {
    held.activity.append(activity);
    held.embeddings.append(embeddings);
    held.embedded.append(embedded);
  },
  assemble(facts) {
    const [activity, embeddings, embedded] = [held.activity.view(), held.embeddings.view(), held.embedded.view()];
    if (!activity.includes(1)) return null;
    const assembly = assemble({ ...facts, activity, embeddings, embedded }, plda);
    return moved(assembly, assembly.count, assembly.hardClusters, assembly.diarization.data);
  },
});

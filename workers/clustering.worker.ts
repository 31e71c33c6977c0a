import { readPlda, type Plda } from '../src/clustering/plda';
import { assemble } from '../src/diarization/assemble';
import { loadPldaFile } from '../src/store/loadPlda';
import type { ClusteringWorkerApi } from './contracts';
import { serve } from './expose';
import { moved } from './moved';

let plda: Plda | null = null;

serve<ClusteringWorkerApi>({
  async load(pldaId, modelsBase) {
    const { manifest, bytes } = await loadPldaFile(pldaId, modelsBase);
    plda = readPlda(manifest, bytes);
  },
  assemble(input) {
    const assembly = assemble(input, plda);
    return moved(assembly, assembly.count, assembly.hardClusters, assembly.diarization.data);
  },
});

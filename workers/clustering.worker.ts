import { assemble } from '../src/diarization/assemble';
import type { ClusteringWorkerApi } from './contracts';
import { moved, serve } from './expose';

serve<ClusteringWorkerApi>({
  assemble(input) {
    const assembly = assemble(input);
    return moved(assembly, assembly.count, assembly.hardClusters, assembly.diarization.data);
  },
});

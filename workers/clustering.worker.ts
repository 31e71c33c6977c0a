import { assemble } from '../src/diarization/assemble';
import type { ClusteringWorkerApi } from './contracts';
import { serve } from './expose';
import { moved } from './moved';

serve<ClusteringWorkerApi>({
  assemble(input) {
    const assembly = assemble(input);
    return moved(assembly, assembly.count, assembly.hardClusters, assembly.diarization.data);
  },
});

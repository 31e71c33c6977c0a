import { openGraph, type Graph } from '../src/ort/graph';
import { segment } from '../src/segmentation/segment';
import { loadModel } from '../src/store/load';
import type { SegmentationManifest } from '../src/store/manifest';
import type { SegmentationWorkerApi } from './contracts';
import { moved, serve, timed } from './expose';

let graph: Graph;
let manifest: SegmentationManifest;

serve<SegmentationWorkerApi>({
  async load({ modelId, modelsBase, ...options }) {
    const model = await loadModel('segmentation', modelId, modelsBase);
    manifest = model.manifest;
    graph = await openGraph(model.bytes, manifest, options);
    return { manifest, adapter: graph.adapter };
  },
  async segment(windows) {
    const [activity, seconds] = await timed(() => segment(graph, manifest, windows));
    return moved({ activity, seconds }, activity);
  },
});

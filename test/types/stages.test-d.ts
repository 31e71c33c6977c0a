/** Compile-time tests of the public types of the single stages. This file is not executed. */
import { expectTypeOf } from 'expect-type';
import {
  cluster,
  embed,
  fbank,
  releaseStages,
  score,
  segment,
  type FbankFeatures,
  type Segmentation,
  type StageTensor,
  type Turn,
  type VoiceClusters,
  type VoiceEmbeddings,
} from '../../src/index';

declare const samples: Float32Array;
declare const segmentation: Segmentation;
declare const embeddings: VoiceEmbeddings;
declare const turns: readonly Turn[];

// A shape has one size per axis, and the array type is fixed.
expectTypeOf<FbankFeatures['axes']>().toEqualTypeOf<readonly ['frame', 'mel']>();
expectTypeOf<FbankFeatures['shape']>().toEqualTypeOf<readonly [number, number]>();
expectTypeOf<FbankFeatures['data']>().toEqualTypeOf<Float32Array>();
expectTypeOf<Segmentation['axes']>().toEqualTypeOf<readonly ['window', 'frame', 'speaker']>();
expectTypeOf<Segmentation['shape']>().toEqualTypeOf<readonly [number, number, number]>();
expectTypeOf<Segmentation['data']>().toEqualTypeOf<Uint8Array>();
expectTypeOf<VoiceEmbeddings['axes']>().toEqualTypeOf<readonly ['window', 'speaker', 'dimension']>();
expectTypeOf<VoiceEmbeddings['data']>().toEqualTypeOf<Float32Array>();
expectTypeOf<VoiceClusters['hardClusters']>().toEqualTypeOf<StageTensor<readonly ['window', 'speaker'], Int32Array>>();
expectTypeOf<VoiceClusters['centroids']['data']>().toEqualTypeOf<Float64Array>();
expectTypeOf<VoiceClusters['labels']>().toEqualTypeOf<readonly (string | null)[]>();

expectTypeOf(fbank(samples)).resolves.toEqualTypeOf<FbankFeatures>();
expectTypeOf(segment(samples, { backend: 'wasm', preset: 'campplus' })).resolves.toEqualTypeOf<Segmentation>();
expectTypeOf(embed(samples, segmentation)).resolves.toEqualTypeOf<VoiceEmbeddings>();
expectTypeOf(cluster(segmentation, embeddings, { minSpeakers: 2 })).resolves.toEqualTypeOf<VoiceClusters>();
expectTypeOf(score(turns, turns).der).toEqualTypeOf<number>();
expectTypeOf(score(turns, turns, { collarSeconds: 0.5 }).jer).toEqualTypeOf<number>();
expectTypeOf(releaseStages).toEqualTypeOf<() => void>();
// Results of a whole run and of single stages have compatible types.
expectTypeOf<VoiceClusters['turns']>().toEqualTypeOf<readonly Turn[]>();

// @ts-expect-error 16-bit samples are not samples in [-1, 1]
void segment(new Int16Array(1));
// @ts-expect-error the stages have no fast preset
void segment(samples, { preset: 'fast' });
// @ts-expect-error unknown option
void segment(samples, { backends: 'wasm' });
// @ts-expect-error features are not a segmentation
void embed(samples, {} as FbankFeatures);
// @ts-expect-error the segmentation comes first
void cluster(embeddings, segmentation);
// @ts-expect-error clustering runs no model and has no backend
void cluster(segmentation, embeddings, { backend: 'wasm' });
// @ts-expect-error the filterbank only reads the manifest of the preset
void fbank(samples, { threads: 2 });
// @ts-expect-error the data array of a result cannot be replaced
segmentation.data = new Uint8Array(0);
expectTypeOf(segmentation.shape.length).toEqualTypeOf<3>();
// @ts-expect-error score compares turns, not a result
score(turns, { turns });

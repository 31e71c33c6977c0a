import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { copyWith } from '../../src/onnx/nodes';
import { encodeOnnx, parseOnnx, type ModelProto } from '../../src/onnx/model';
import { StringStringEntryProtoSchema } from '../../src/onnx/onnx_pb';
import { parseManifest, type EmbeddingManifest, type SegmentationManifest } from '../../src/store/manifest';

const MODELS = new URL('../../models/', import.meta.url);

/** Voxlane's models for sherpa-onnx: paths of copies with its metadata. */
export interface SherpaModels {
  readonly segmentation: string;
  readonly embedding: string;
  readonly sampleRate: number;
  /** Hop between windows as a fraction of the window length. */
  readonly windowShiftRatio: number;
}

/**
 * Writes copies of the models that differ only in metadata. Nodes and weights are byte-identical.
 *
 * @param folder output folder
 */
export function writeSherpaModels(segmentationId: string, embeddingId: string, folder: string): SherpaModels {
  const segmentation = parseManifest('segmentation', readManifest(segmentationId), segmentationId);
  const embedding = parseManifest('embedding', readManifest(embeddingId), embeddingId);
  const write = (id: string, file: string, metadata: Readonly<Record<string, string>>): string => {
    const path = join(folder, `${id}.onnx`);
    const model = parseOnnx(readFileSync(new URL(`${id}/${file}`, MODELS)), id);
    writeFileSync(path, encodeOnnx(withMetadata(model, metadata)));
    return path;
  };
  return {
    segmentation: write(segmentationId, segmentation.file.name, segmentationMetadata(segmentation)),
    embedding: write(embeddingId, embedding.file.name, embeddingMetadata(embedding)),
    sampleRate: segmentation.sampleRate,
    windowShiftRatio: segmentation.hopSamples / segmentation.windowSamples,
  };
}

/** Keys that sherpa-onnx 1.13 reads in `offline-speaker-segmentation-pyannote-model.cc`. It exits if one is missing. */
function segmentationMetadata(manifest: SegmentationManifest): Record<string, string> {
  const { sampleRate, windowSamples, receptiveField, powerset } = manifest;
  return texts({
    sample_rate: sampleRate,
    window_size: windowSamples,
    receptive_field_size: receptiveField.durationSamples,
    receptive_field_shift: receptiveField.stepSamples,
    num_speakers: powerset.numSpeakers,
    powerset_max_classes: powerset.maxSetSize,
    num_classes: powerset.mapping.length,
  });
}

/**
 * Keys that sherpa-onnx 1.13 reads in `speaker-embedding-extractor-model.cc`.
 *
 * The rest of its filterbank is fixed: a 25 ms Povey window every 10 ms and 80 bins, as in CAM++, but up to 7.6 kHz
 * instead of 8 kHz, and with mirrored edges.
 *
 * @throws Error for a filterbank that the metadata cannot express
 */
export function embeddingMetadata({ id, fbank, sampleRate, embeddingSize }: EmbeddingManifest): Record<string, string> {
  const { sampleScale, subtractMean, windowType } = fbank;
  if (windowType !== 'povey' || (sampleScale !== 1 && sampleScale !== 32_768)) {
    throw new Error(`${id} requires a ${windowType} window and samples scaled by ${sampleScale}, which sherpa-onnx does not support.`);
  }
  return texts({
    // Required; either this or `wespeaker`. Both are processed in the same way.
    framework: '3d-speaker',
    language: 'Chinese-English',
    sample_rate: sampleRate,
    output_dim: embeddingSize,
    // True if the filterbank uses samples in [-1, 1] unchanged; otherwise, it multiplies them by 32768.
    normalize_samples: Number(sampleScale === 1),
    feature_normalize_type: subtractMean ? 'global-mean' : '',
  });
}

/** The model with these entries as its only metadata. */
function withMetadata(model: ModelProto, metadata: Readonly<Record<string, string>>): ModelProto {
  const metadataProps = Object.entries(metadata).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  return copyWith(model, { metadataProps });
}

function readManifest(id: string): unknown {
  return JSON.parse(readFileSync(new URL(`${id}/manifest.json`, MODELS), 'utf8'));
}

const texts = (facts: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)]));

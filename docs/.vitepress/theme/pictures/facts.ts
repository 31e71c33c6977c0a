/** Numbers of the pictures, from the models' manifests. */
import campplusManifest from '../../../../models/campplus-zh-en/manifest.json';
import pldaManifest from '../../../../models/plda-community-1/manifest.json';
import segmentationManifest from '../../../../models/segmentation-3.0/manifest.json';
import resnetManifest from '../../../../models/wespeaker-resnet34-lm/manifest.json';

const { sampleRate, windowSamples, hopSamples, numFrames, receptiveField, powerset } = segmentationManifest;

export const segmentation = {
  sampleRate,
  windowSeconds: windowSamples / sampleRate,
  hopSeconds: hopSamples / sampleRate,
  numFrames,
  frameSamples: receptiveField.stepSamples,
  frameSeconds: receptiveField.stepSamples / sampleRate,
  fieldSamples: receptiveField.durationSamples,
  /** Of the powerset: for each class, who talks; axes (class, local speaker). */
  mapping: powerset.mapping,
};

export const campplus = {
  dimension: campplusManifest.embeddingSize,
  numMelBins: campplusManifest.fbank.numMelBins,
  frameShiftMs: campplusManifest.fbank.frameShiftMs,
  frameLengthMs: campplusManifest.fbank.frameLengthMs,
};

export const resnet = { dimension: resnetManifest.embeddingSize, latentDimension: pldaManifest.latentSize };

import { describe, expect, it } from 'vitest';
import segmentation from '../../models/segmentation-3.0/manifest.json';
import plda from '../../models/plda-campplus-zh-en/manifest.json';
import { parseManifest } from './manifest';
import { parsePldaManifest } from './plda';

const former = (manifest: object): unknown =>
  JSON.parse(JSON.stringify(manifest).replaceAll('"license":', '"licence":').replace('"numSpeakers":', '"numClasses":'));

describe('manifests of earlier releases', () => {
  it('are read with the former names of their fields', () => {
    expect(former(segmentation)).not.toEqual(segmentation);
    expect(parseManifest('segmentation', former(segmentation), 'a')).toEqual(parseManifest('segmentation', segmentation, 'a'));
    expect(former(plda)).not.toEqual(plda);
    expect(parsePldaManifest(former(plda), 'a')).toEqual(parsePldaManifest(plda, 'a'));
  });
});

import { expect, it } from 'vitest';
import { companionKind, sortFiles } from './openFiles';

const file = (name: string): File => new File([], name);

it('distinguishes models, companions and recordings, ignoring case', () => {
  const names = ['talk.WAV', 'talk.rttm', 'net.ONNX', 'talk.Srt', 'talk.uem', 'talk.json', 'noext'];
  const { models, companions, recordings } = sortFiles(names.map(file));
  expect(models.map(({ name }) => name)).toEqual(['net.ONNX']);
  expect(companions.map(({ name }) => name)).toEqual(['talk.rttm', 'talk.Srt', 'talk.uem', 'talk.json']);
  expect(recordings.map(({ name }) => name)).toEqual(['talk.WAV', 'noext']);
});

it('determines the kind of a companion', () => {
  expect(companionKind(file('a.vtt'))).toBe('subtitles');
  expect(companionKind(file('a.b.json'))).toBe('json');
  expect(companionKind(file('json'))).toBeNull();
});

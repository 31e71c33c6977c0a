import { describe, expect, it } from 'vitest';
import { type JsonSource, toJson } from './json';

const result: JsonSource = {
  durationSeconds: 10.00000049,
  preset: 'community-1',
  speed: 'fast',
  clustering: 'preset',
  minDurationOn: 0.1,
  embeddingModel: '7bb2',
  confidenceKind: 'posterior',
  speakerCount: { value: 1, alternatives: [{ value: 2, score: 0.123456 }], unmet: { minSpeakers: 3, maxSpeakers: null } },
  backend: { reason: 'asked for', name: 'wasm', threads: 4, adapter: null },
  turns: [{ speaker: 'SPEAKER_00', startSeconds: 0.1 + 0.2, endSeconds: 1.6874999999999998, confidence: 0.87654 }],
  exclusiveTurns: [],
  speakers: [{ label: 'SPEAKER_00', speechSeconds: 1.3875, centroid: Float32Array.of(0.1, -1 / 3, 1e-12, 0) }],
  timings: { decode: 0.12345678, segmentation: undefined },
};

describe('toJson', () => {
  it('rounds seconds to microseconds and writes keys in a fixed order', () => {
    expect(toJson('talk.wav', result)).toBe(`{
  "file": "talk.wav",
  "durationSeconds": 10,
  "backend": {
    "name": "wasm",
    "adapter": null,
    "threads": 4,
    "reason": "asked for",
    "selfCheck": null
  },
  "preset": "community-1",
  "speed": "fast",
  "clustering": "preset",
  "minDurationOn": 0.1,
  "minDurationOff": null,
  "embeddingModel": "7bb2",
  "confidenceKind": "posterior",
  "speakerCount": {
    "value": 1,
    "alternatives": [
      {
        "value": 2,
        "score": 0.1235
      }
    ],
    "unmet": {
      "minSpeakers": 3,
      "maxSpeakers": null
    }
  },
  "turns": [
    {
      "startSeconds": 0.3,
      "endSeconds": 1.6875,
      "speaker": "SPEAKER_00",
      "confidence": 0.8765
    }
  ],
  "exclusiveTurns": [],
  "speakers": [
    {
      "label": "SPEAKER_00",
      "speechSeconds": 1.3875,
      "centroid": [
        0.100000001,
        -0.333333343,
        9.99999996e-13,
        0
      ]
    }
  ],
  "timings": {
    "decode": 0.123457
  }
}
`);
  });

  it('preserves every float32 of a centroid', () => {
    const centroid = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i * i) * 10 ** ((i % 60) - 30));
    const text = toJson('x', { ...result, speakers: [{ label: 'a', speechSeconds: 0, centroid }] });
    const read = JSON.parse(text) as { speakers: { centroid: number[] }[] };
    expect(Float32Array.from(read.speakers[0]?.centroid ?? [])).toEqual(centroid);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Scope } from './scope';
import { Player } from './player';

/** An audio element with a manual clock: `run` advances it. */
class FakeAudio extends EventTarget {
  static last: FakeAudio;
  currentTime = 0;
  paused = true;
  ended = false;
  seeking = false;
  playbackRate = 1;
  preservesPitch = false;
  error: { code: number; message: string } | null = null;
  /** The rejection of `play()`. */
  refusal: Error | null = null;
  constructor() {
    super();
    FakeAudio.last = this;
  }
  play(): Promise<void> {
    if (this.refusal) return Promise.reject(this.refusal);
    this.paused = false;
    this.ended = false;
    this.dispatchEvent(new Event('play'));
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event('pause'));
  }
  run(seconds: number): void {
    if (!this.paused) this.currentTime += seconds * this.playbackRate;
    this.dispatchEvent(new Event('timeupdate'));
  }
  removeAttribute = vi.fn();
  load = vi.fn(() => {
    this.error = null;
    this.paused = true;
    this.currentTime = 0;
  });
  fail(code: number, message: string): void {
    this.error = { code, message };
    this.dispatchEvent(new Event('error'));
  }
}

let scope: Scope;
let player: Player;
const audio = (): FakeAudio => FakeAudio.last;

beforeEach(() => {
  vi.stubGlobal('Audio', FakeAudio);
  vi.stubGlobal('requestAnimationFrame', () => 0);
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  vi.useFakeTimers({ toFake: ['performance'] });
  scope = new Scope();
  player = new Player(scope, new Blob(), 60);
});

afterEach(() => {
  scope.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('Player', () => {
  it('plays a segment and stops exactly at its end', () => {
    player.playSegment({ startSeconds: 5, endSeconds: 7 });
    audio().run(1.5);
    expect([player.playing, player.position]).toEqual([true, 6.5]);
    audio().run(0.7);
    expect([player.playing, player.position, audio().currentTime]).toEqual([false, 7, 7]);
    player.toggle();
    audio().run(1);
    expect([player.playing, player.position]).toEqual([true, 8]);
  });

  it('continues after a seek out of a segment', () => {
    player.playSegment({ startSeconds: 5, endSeconds: 7 });
    player.seek(20);
    audio().run(1);
    expect([player.playing, player.position]).toEqual([true, 21]);
  });

  it('loops only from within the segment', () => {
    player.loop({ startSeconds: 5, endSeconds: 7 });
    player.playFrom(6);
    audio().run(1.01);
    expect([player.playing, player.position]).toEqual([true, 5]);
    player.seek(10);
    audio().run(1);
    expect(player.position).toBe(11);
    player.loop(null);
    player.playFrom(6);
    audio().run(2);
    expect(player.position).toBe(8);
  });

  it('loops up to the end of the recording, where the element stops by itself', () => {
    player.loop({ startSeconds: 55, endSeconds: 60 });
    player.playFrom(59);
    audio().currentTime = 60;
    audio().ended = true;
    audio().dispatchEvent(new Event('ended'));
    expect([player.playing, player.position]).toEqual([true, 55]);
  });

  it('limits the rate to what browsers support, and preserves the pitch', () => {
    expect(audio().preservesPitch).toBe(true);
    for (const [asked, set] of [[1.5, 1.5], [9, 3], [0.1, 0.5]] as const) {
      player.setRate(asked);
      expect([player.rate, audio().playbackRate]).toEqual([set, set]);
    }
  });

  it('shuttles forward in steps and back, and returns to the selected rate', () => {
    player.setRate(0.75);
    const rates = [1, 1, 1, 1, -1, -1, -1].map((direction) => {
      player.shuttle(direction as 1 | -1);
      return audio().playbackRate;
    });
    expect(rates).toEqual([0.75, 1, 2, 3, 2, 1, 0.75]);
    player.shuttle(1);
    player.shuttle(0);
    expect(player.playing).toBe(false);
    player.toggle();
    expect(audio().playbackRate).toBe(0.75);
  });

  it('rewinds without sound, faster each time, and stops at the start', () => {
    player.seek(30);
    const rewound = (milliseconds: number): number => {
      vi.advanceTimersByTime(milliseconds);
      audio().dispatchEvent(new Event('timeupdate'));
      return player.position;
    };
    player.shuttle(-1);
    expect(rewound(1000)).toBe(28);
    player.shuttle(-1);
    expect(rewound(1000)).toBe(24);
    expect(player.playing).toBe(false);
    player.shuttle(0);
    expect([rewound(1000), audio().currentTime]).toEqual([24, 24]);
    player.shuttle(-1);
    expect(rewound(60_000)).toBe(0);
    expect(rewound(1000)).toBe(0);
    player.shuttle(1);
    audio().run(1);
    expect([player.playing, player.position]).toEqual([true, 1]);
  });

  // As reported by browsers: see `problemOfError`.
  it.each([
    [3, 'OnMediaSinkAudioError', 'no-output'],
    [3, 'NS_ERROR_DOM_MEDIA_CUBEB_INITIALIZATION_ERR (0x806e0065)', 'no-output'],
    [3, 'AUDIO_RENDERER_ERROR: audio render error', 'no-output'],
    [2, '', 'stopped'],
    [3, 'Media failed to decode', 'stopped'],
  ] as const)('can retry from the same position after an error %i “%s”', (code, message, problem) => {
    player.playFrom(12);
    audio().run(1);
    audio().fail(code, message);
    expect([player.problem, player.playable, player.playing, audio().paused]).toEqual([problem, true, false, true]);
    // The element's reports are ignored while nothing plays.
    audio().currentTime = 40;
    audio().dispatchEvent(new Event('timeupdate'));
    expect(player.position).toBe(13);
    player.toggle();
    expect([player.problem, player.playing, audio().currentTime]).toEqual([null, true, 13]);
    audio().run(1);
    expect(player.position).toBe(14);
  });

  it.each([
    [4, ''],
    [4, 'DEMUXER_ERROR_COULD_NOT_OPEN: FFmpegDemuxer: open context failed'],
    [3, 'PIPELINE_ERROR_DECODE: audio decode error!'],
    [3, 'NS_ERROR_DOM_MEDIA_DECODE_ERR (0x806e0004)'],
  ])('does not play a file that cannot be decoded: error %i “%s”', (code, message) => {
    audio().fail(code, message);
    expect([player.problem, player.playable]).toEqual(['unplayable', false]);
    player.toggle();
    expect([player.playing, audio().load.mock.calls.length]).toEqual([false, 0]);
    player.seek(20);
    expect(player.position).toBe(20);
  });

  it.each([
    ['NotSupportedError', 'unplayable'],
    ['UnknownError', 'stopped'],
    ['AbortError', null],
    ['NotAllowedError', null],
  ])('classifies a play() that rejects with %s as %s', async (name, problem) => {
    audio().refusal = new DOMException('refused', name);
    player.toggle();
    await Promise.resolve();
    expect(player.problem).toBe(problem);
  });
});

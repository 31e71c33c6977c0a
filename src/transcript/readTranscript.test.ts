import { readFileSync } from 'node:fs';
import { parseText, tokenizeVTTCue, type VTTNode } from 'media-captions';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../util/decodeText';
import { readTranscript } from './readTranscript';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

/** Contents of the fixtures, from `make_fixtures.py`. */
const TEXTS = ['Good morning, everyone.', 'Morning! Shall we start?', 'Item 1 is 3 < 4 & "café".'];
const TIMES = [
  [0.5, 2.9],
  [3.2, 5.44],
  [6, 9.12],
];
const timesOf = (some: readonly { startSeconds: number; endSeconds: number }[]) =>
  some.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);

describe('files written by other programs', () => {
  it.each([
    'pysrt.srt',
    'webvtt-py.vtt',
    'openai-whisper.srt',
    'openai-whisper.vtt',
    'openai-whisper.json',
    'whisperx.json',
  ])('reads %s', (name) => {
    const { file, cues } = readTranscript(name, fixture(name));
    expect(file).toBe(name);
    expect(cues.map(({ text }) => text.replace('\n', ' '))).toEqual(TEXTS);
    expect(timesOf(cues)).toEqual(TIMES);
  });

  it('keeps the lines of a subtitle', () => {
    expect(readTranscript('x', fixture('pysrt.srt')).cues[0]?.text).toBe('Good morning,\neveryone.');
  });

  it('reads the words of openai-whisper including their white space', () => {
    const { cues } = readTranscript('x', fixture('openai-whisper.json'));
    expect(
      cues.map(({ words }) =>
        words
          .map(({ text }) => text)
          .join('')
          .trim(),
      ),
    ).toEqual(TEXTS);
    expect(cues[1]?.words.map(({ text }) => text)).toEqual([' Morning!', ' Shall', ' we', ' start?']);
    expect(timesOf(cues[0]!.words)).toEqual([
      [0.5, 0.9],
      [0.9, 1.6],
      [1.8, 2.9],
    ]);
  });

  it('adds white space to the bare words of whisperX, and fills in missing times from the neighboring words', () => {
    const { words } = readTranscript('x', fixture('whisperx.json')).cues[2]!;
    expect(words.map(({ text }) => text)).toEqual([' Item', ' 1', ' is', ' 3', ' <', ' 4', ' &', ' "café".']);
    const rounded = timesOf(words).map((times) => times.map((seconds) => Number(seconds.toFixed(6))));
    expect(rounded).toEqual([
      [6, 6.4],
      [6.4, 6.7],
      [6.7, 6.9],
      [6.9, 7.2],
      [7.2, 7.5],
      [7.5, 7.8],
      [7.8, 8.1],
      [8.1, 9.12],
    ]);
  });

  it('joins the tokens of whisper.cpp into words', () => {
    const { cues } = readTranscript('x', fixture('whisper.cpp.json'));
    expect(cues.map(({ text }) => text)).toEqual(TEXTS.slice(0, 2));
    expect(cues[0]?.words).toEqual([
      { text: ' Good', startSeconds: 0.5, endSeconds: 0.9 },
      { text: ' morning,', startSeconds: 0.9, endSeconds: 1.7 },
      { text: ' everyone.', startSeconds: 1.8, endSeconds: 2.9 },
    ]);
    expect(cues[1]?.words).toEqual([]);
  });
});

/** A file with irregularities that occur in SubRip files. */
const ODD_SRT = [
  '\uFEFF1\r\n00:00:01,000 --> 00:00:02,500 X1:40 X2:600\r\n<i>Hello</i> <font color="#fff">you</font>\r\n{\\an8}a < b',
  '2\r\n00:01:03.5 --> 1:00:04,000\r\nno blank line after it\r\n3\r\n01:00:05,000 --> 01:00:05,000\r\nno length',
  '4\r\n01:00:06,000 --> 01:00:07,000\r\nfirst\r\n\r\nsecond\r\n\r\n\r\n5\r\n01:00:08,000 --> 01:00:09,000\r\n',
].join('\r\n\r\n');

const ODD_VTT = `WEBVTT - a title
Kind: captions

STYLE
::cue(v[voice="a"]) { color: red }

NOTE 00:00 is no time

intro
00:01.000 --> 00:03.000 align:start line:0%
<v.loud Roger B.>We <i>are</i> &amp; <c.yellow>were</c> &lt;here&gt;&#33;</v>

01:00:04.000 --> 01:00:06.500
Hi <01:00:05.000>there <01:00:05.500><c>you</c> <01:00:02.000>all
line two
`;

describe('subtitles', () => {
  it('reads irregular SubRip', () => {
    const { cues } = readTranscript('odd.srt', ODD_SRT);
    expect(cues.map(({ text }) => text)).toEqual([
      'Hello you\na < b',
      'no blank line after it',
      'no length',
      'first\nsecond',
    ]);
    expect(timesOf(cues)).toEqual([
      [1, 2.5],
      [63.5, 3604],
      [3605, 3605],
      [3606, 3607],
    ]);
  });

  it('reads WebVTT without its tags, and words if they have times', () => {
    const { cues } = readTranscript('odd.vtt', ODD_VTT);
    expect(cues[0]).toEqual({ startSeconds: 1, endSeconds: 3, text: 'We are & were <here>!', words: [] });
    expect(cues[1]).toMatchObject({ startSeconds: 3604, endSeconds: 3606.5, text: 'Hi there you all\nline two' });
    expect(cues[1]?.words).toEqual([
      { text: 'Hi ', startSeconds: 3604, endSeconds: 3605 },
      { text: 'there ', startSeconds: 3605, endSeconds: 3605.5 },
      { text: 'you all\nline two', startSeconds: 3605.5, endSeconds: 3606.5 },
    ]);
  });

  it.each(['pysrt.srt', 'webvtt-py.vtt', 'openai-whisper.srt', 'odd.vtt'])(
    'matches the result of media-captions for %s',
    async (name) => {
      const text = name === 'odd.vtt' ? ODD_VTT.replace('&#33;', '!') : fixture(name);
      const type = name.endsWith('.vtt') ? 'vtt' : 'srt';
      const theirs = (await parseText(text, { type })).cues;
      const { cues } = readTranscript(name, text);
      expect(timesOf(cues)).toEqual(theirs.map(({ startTime, endTime }) => [startTime, endTime]));
      expect(cues.map((cue) => cue.text)).toEqual(
        theirs.map((cue) => (type === 'vtt' ? tokenizeVTTCue(cue).map(textOf).join('') : cue.text)),
      );
    },
  );

  it.each([
    [
      'times that cannot be read',
      '1\n00:00:0x,000 --> 00:00:02,000\nhi\n',
      /Line 2 of "f" has times that cannot be read: 00:00:0x/,
    ],
    ['an end before the start', 'WEBVTT\n\n00:02.000 --> 00:01.000\nhi\n', /Line 3 of "f" ends before it starts/],
    ['text without times', 'hello', /"f" contains no text with times/],
    ['an empty file', '', /"f" contains no text with times/],
    ['JSON without segments', '{"text": "hello"}', /contains no text with times/],
    ['broken JSON', '{"segments": [', /not valid JSON/],
    ['a time in words', '{"segments": [{"start": "noon", "end": 1, "text": "a"}]}', /segments\.0\.start: expected a time, such as 2\.5/],
    ['a segment without an end', '{"segments": [{"start": 0, "text": "x"}]}', /at segments\.0\.end/],
    [
      'a word without text',
      '{"segments": [{"start": 0, "end": 1, "text": "x", "words": [{"start": 0}]}]}',
      /at segments\.0\.words\.0: it has neither "word" nor "text"/,
    ],
    ['words of services that use milliseconds', '{"words": [{"text": "x", "start": 500}]}', /at words\.0\.word/],
    [
      'an offset that is text',
      '{"transcription": [{"offsets": {"from": "0", "to": 1}, "text": "x"}]}',
      /at transcription\.0\.offsets\.from/,
    ],
  ])('rejects %s', (_name, text, found) => {
    const read = () => readTranscript('f', text);
    expect(read).toThrow(expect.objectContaining({ code: 'format', remedy: expect.any(String) as string }));
    expect(read).toThrow(found);
  });
});

describe('files that older versions misread', () => {
  const inCase = (name: string) => readTranscript(name, decodeText(readFileSync(new URL(`fixtures/cases/${name}`, import.meta.url)), name).text).cues;
  const rows = (name: string) => inCase(name).map(({ startSeconds, endSeconds, text }) => [startSeconds, endSeconds, text]);

  it.each([
    ['windows1252.srt', [[1, 2, 'Schöne Grüße']]],
    ['srt_double_spaced_crcrlf.srt', [[1, 2.5, 'foo'], [3, 4, 'bar'], [6, 7, 'baz']]],
    ['whisper_avg_logprob_NaN.json', [[0, 2, 'hi']]],
    ['whisper_console_output.txt', [[0, 2, 'Hello there'], [2, 4, 'Again']]],
    // Words with times but without segments. The last end is missing.
    ['transformersjs_chunks.json', [[0, 1.06, 'And so my']]],
    ['youtube_auto_blank_first_line.vtt', [[0.799, 2.869, 'hi everyone today we'], [2.879, 4.07, 'model a basic'], [6, 8, 'lost sentence here']]],
  ])('%s', (name, expected) => {
    expect(rows(name)).toEqual(expected);
  });

  it('have words with times', () => {
    const words = (name: string) => inCase(name).map((cue) => cue.words.map(({ text, startSeconds, endSeconds }) => [text.trim(), startSeconds, endSeconds]));
    expect(words('youtube_auto_blank_first_line.vtt')).toEqual([
      [['hi', 0.799, 1.04], ['everyone', 1.04, 1.92], ['today', 1.92, 2.24], ['we', 2.24, 2.869]],
      [['model', 2.879, 3.36], ['a', 3.36, 3.52], ['basic', 3.52, 4.07]],
      [['lost', 6, 6.5], ['sentence', 6.5, 7], ['here', 7, 8]],
    ]);
    expect(words('transformersjs_chunks.json')).toEqual([[['And', 0, 0.78], ['so', 0.78, 1.06], ['my', 1.06, 1.06]]]);
  });

  it('keep a repeated line, and cues separated by lines of spaces', () => {
    const vtt = 'WEBVTT\n\n00:01.000 --> 00:02.000\nyes<00:01.500><c> yes</c>\n \n00:02.000 --> 00:03.000\nyes yes\nyes yes\n\n00:08.000 --> 00:09.000\nyes yes\n';
    expect(readTranscript('f', vtt).cues.map(({ startSeconds, text }) => [startSeconds, text])).toEqual([[1, 'yes yes'], [2, 'yes yes'], [8, 'yes yes']]);
  });

  it('keep unknown HTML entities as text', () => {
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'amp'].map((name) => `&${name};`).join(' ');
    expect(readTranscript('f', `WEBVTT\n\n00:01.000 --> 00:02.000\n${names}\n`).cues[0]?.text).toBe('&constructor; &toString; &__proto__; &hasOwnProperty; &');
  });

  it('are read in linear time', () => {
    const lines = 'x\n'.repeat(200_000);
    expect(readTranscript('f', `1\n00:00:01,000 --> 00:00:02,000\na\n\n${lines}`).cues[0]?.text).toHaveLength(400_001);
    const rolling = `00:00:01.000 --> 00:00:02.000\n<00:00:01.500>a\n${lines}\n`;
    expect(readTranscript('f', `WEBVTT\n\n${rolling}${rolling}`).cues).toHaveLength(2);
  });

  it('can be double-spaced SubRip with any line ending', () => {
    const lines = ['1', '00:00:01,000 --> 00:00:02,000', 'in 1999', '', '2', '00:00:03,000 --> 00:00:04,000', 'at 7', '7', '', '3', '00:00:05,000 --> 00:00:06,000', '3'];
    for (const end of ['\n\n', '\r\n\r\n', '\r\r', '\r\r\n', '\r\r\n\r\r\n']) {
      expect(readTranscript('f', lines.join(end)).cues.map(({ text }) => text)).toEqual(['in 1999', 'at 7\n7', '3']);
    }
  });
});

const textOf = (node: VTTNode): string => (node.type === 'text' ? node.data : node.children.map(textOf).join(''));

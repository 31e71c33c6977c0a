import { describe, expect, it } from 'vitest';
import { readTranscript } from './readTranscript';

const timesOf = (some: readonly { startSeconds: number; endSeconds: number }[]) =>
  some.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]);

describe('JSON of recognizers', () => {
  const read = (content: unknown) => readTranscript('f.json', JSON.stringify(content)).cues;
  const word = (text: string, start?: number, end?: number) => ({ word: text, start, end });

  it('distributes the words that OpenAI’s service lists separately', () => {
    const segments = [
      { start: 0, end: 2, text: ' Yes, yes.' },
      { start: 2, end: 3, text: ' Yes?' },
    ];
    const words = [word('Yes', 0, 0.5), word('yes', 1, 1.9), word('Yes', 2.1, 2.5)];
    expect(read({ segments, words }).map((cue) => cue.words.map(({ text }) => text))).toEqual([
      [' Yes,', ' yes.'],
      [' Yes?'],
    ]);
  });

  it('attaches closing punctuation to the previous word and opening punctuation to the next one', () => {
    const said = (text: string, ...words: string[]) =>
      read({ segments: [{ start: 0, end: 9, text, words: words.map((one) => word(one)) }] })[0]?.words.map(
        (one) => one.text,
      );
    expect(said(' Shall we start? Yes.', 'Shall', 'we', 'start', 'Yes')).toEqual([' Shall', ' we', ' start?', ' Yes.']);
    expect(said('"So?" – "3 %" (he said)...', 'So', '3', '%', 'he', 'said')).toEqual([
      '"So?"',
      ' – "3',
      ' %"',
      ' (he',
      ' said)...',
    ]);
    expect(said('他说：「好。」', '他', '说', '好')).toEqual(['他', '说：', '「好。」']);
  });

  it('drops the words of a segment only if one of its words differs', () => {
    const segments = [
      { start: 0, end: 2, text: ' We are here now.' },
      { start: 2.2, end: 4, text: ' So we are.' },
      { start: 4, end: 6, text: ' Now?' },
    ];
    // The last word of the first segment starts at a time at which the second segment could start.
    const words = [
      word('We', 0, 0.5),
      word('were', 0.5, 1),
      word('here', 1, 1.8),
      word('now', 1.9, 2.1),
      word('So', 2.1, 2.5),
      word('we', 2.5, 3),
      word('are', 3, 3.6),
      word('Now', 4.9, 5.5),
    ];
    expect(read({ segments, words }).map((cue) => cue.words.map(({ text }) => text))).toEqual([
      [],
      [' So', ' we', ' are.'],
      [' Now?'],
    ]);
  });

  it('assigns no words of a segment that is missing in the file', () => {
    const words = [word('Yes', 0, 0.5), word('Oh', 7, 7.5), word('Yes', 7.6, 8)];
    const [cue] = read({ segments: [{ start: 7.5, end: 9, text: ' Yes.' }], words });
    expect(cue?.words).toEqual([{ text: ' Yes.', startSeconds: 7.6, endSeconds: 8 }]);
  });

  it('reads the words of whisper-timestamped, which have the key "text"', () => {
    const words = [
      { text: 'Hello!', start: 0.06, end: 0.5, confidence: 0.9 },
      { text: 'You?', start: 0.6, end: 1, confidence: 0.8 },
    ];
    expect(read({ text: ' Hello! You?', segments: [{ start: 0, end: 1, text: ' Hello! You?', words }] })).toEqual([
      {
        startSeconds: 0,
        endSeconds: 1,
        text: 'Hello! You?',
        words: [
          { text: ' Hello!', startSeconds: 0.06, endSeconds: 0.5 },
          { text: ' You?', startSeconds: 0.6, endSeconds: 1 },
        ],
      },
    ]);
  });

  it('reads a hundred thousand words without ends', () => {
    const words = Array.from({ length: 100_000 }, (_, i) => word(`w${i}`, i));
    const [cue] = read({ segments: [{ start: 0, end: 1e5, text: words.map((one) => one.word).join(' '), words }] });
    expect(cue?.words.at(-1)).toEqual({ text: ' w99999', startSeconds: 99_999, endSeconds: 1e5 });
  });

  it('splits words without segments at sentence ends and pauses', () => {
    const words = [
      word('One.', 0, 0.5),
      word('Two', 0.6, 1),
      word('3', undefined, undefined),
      word('four', 1.4, 2),
      word('Five', 3, 3.5),
    ];
    expect(
      read({ word_segments: words }).map(({ text, startSeconds, endSeconds }) => [text, startSeconds, endSeconds]),
    ).toEqual([
      ['One.', 0, 0.5],
      ['Two 3 four', 0.6, 2],
      ['Five', 3, 3.5],
    ]);
  });

  it('keeps the text of a segment if the words do not match it', () => {
    const [cue] = read({
      segments: [{ start: 0, end: 1, text: 'so it is', words: [word('so', 0, 0.2), word('was', 0.3, 0.9)] }],
    });
    expect(cue).toEqual({ startSeconds: 0, endSeconds: 1, text: 'so it is', words: [] });
  });

  it('corrects word times that are not ascending', () => {
    const words = [word(' a', 0, 0.6), word(' b', 0.5, 0.4), word(' c', 0.8)];
    const [cue] = read({ segments: [{ start: 0, end: 1, text: ' a b c', words }] });
    expect(timesOf(cue!.words)).toEqual([
      [0, 0.6],
      [0.6, 0.6],
      [0.8, 1],
    ]);
  });

  it('treats tokens as words in a language without spaces', () => {
    const offsets = (from: number, to: number) => ({ from, to });
    const tokens = [
      { text: '今', offsets: offsets(0, 400) },
      { text: '天。', offsets: offsets(400, 900) },
    ];
    const [cue] = read({ transcription: [{ offsets: offsets(0, 1000), text: '今天。', tokens }] });
    expect(cue?.words.map(({ text }) => text)).toEqual(['今', '天。']);
  });

  it('joins the tokens of a single word, and keeps tokens separate beside a foreign word', () => {
    const offsets = { from: 0, to: 1000 };
    const segment = (...texts: string[]) => ({
      offsets,
      text: texts.join(''),
      tokens: texts.map((text) => ({ text, offsets })),
    });
    const said = (...segments: string[][]) =>
      read({ transcription: segments.map((texts) => segment(...texts)) }).map((cue) =>
        cue.words.map(({ text }) => text),
      );
    expect(said([' Mor', 'ning', '!'], [' Shall', ' we', '?'])).toEqual([[' Morning!'], [' Shall', ' we?']]);
    expect(said(['今', '天', '。'], ['用', ' Whis', 'per', '吗', '？'])).toEqual([
      ['今', '天。'],
      ['用', ' Whisper', '吗？'],
    ]);
  });
});

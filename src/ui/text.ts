import type { BackendReport, Preview } from '../pipeline/types';
import { clock, count, percent, ratio, span } from './format';
import { modelsText } from './models/text';
import type { StageGroupId } from './stageGroups';
import type { Notice } from './state';

/** Every word of the page. One table, so that wording is reviewed, and later translated, in one place. */

const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

const STAGES: Readonly<Record<StageGroupId, string>> = {
  decode: 'Reading audio',
  segmentation: 'Finding speech',
  fbank: 'Voice features',
  embedding: 'Voice prints',
  clustering: 'Grouping voices',
};

const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'One recording at a time: the one in progress goes on, the new one was not taken.',
  'busy-model': 'A model is taken between recordings: the one in progress goes on, the model was not taken.',
  cancelled: 'Cancelled. Nothing was kept.',
  'first-only': 'Several files were dropped. Only the first one was taken.',
  'options-range': 'The smallest number of speakers is larger than the largest one.',
  'options-number': 'The number of speakers has to be a whole number of 1 or more.',
  'download-stopped': 'The download was stopped. What has arrived is kept, so that it can go on from there.',
  'preset-ready': 'community-1 is ready. The next recording runs with it.',
  'model-deleted': 'The model was deleted from this browser.',
};

export const text = {
  name: 'Voxlane',
  tagline: 'Who spoke when, worked out in this browser. Your audio never leaves this machine.',
  skip: 'Skip to the content',
  theme: 'Switch between light and dark',
  dismiss: 'Dismiss this message',
  /** To the page that compares models layer by layer. */
  compare: { href: 'compare.html', label: 'Compare a model' },
  pageTitle: {
    empty: 'Voxlane: who spoke when, in your browser',
    working: (file: string) => `Working on ${file} · Voxlane`,
    done: (file: string) => `${file} · Voxlane`,
    error: 'Not analysed · Voxlane',
  },
  notices: NOTICES,
  models: modelsText,

  empty: {
    heading: 'Open a recording',
    lead: 'Drop an audio or video file anywhere on this page.',
    choose: 'Choose a file',
    sample: 'Try the sample',
    sampleName: 'sample.wav',
    formats: 'WAV, MP3, M4A, FLAC, OGG, MP4, MOV, WebM. Nothing is uploaded.',
    facts: [
      ['Goes in', 'An audio or video file'],
      ['Comes out', 'Every turn of every speaker, as lanes to listen to, as RTTM and as JSON'],
      ['Leaves this machine', 'Nothing'],
    ] as readonly (readonly [string, string])[],
    back: (file: string) => `Back to the result for ${file}`,
    sampleMissing: (status: string) => `The sample recording could not be fetched (${status})`,
    sampleRemedy: 'Reload the page, or choose a recording of your own',
  },
  drop: {
    ready: 'Drop a recording to analyse it, or a model (.onnx) to use it',
    busy: 'One recording at a time: cancel the one in progress first',
  },
  options: {
    summary: 'Options',
    speed: 'Speed',
    speeds: { exact: 'Exact', fast: 'Fast' },
    /** What each is, and what it costs. Measured: bench/RESULTS.md. */
    speedCost: {
      exact: { what: 'pyannote’s computation: the voice prints of every window.', cost: 'The sample, half a minute, takes 3 s on two cores without a GPU; error rate on eight recordings 32.1 %.' },
      fast: {
        what: 'Voice prints of every fifth or tenth window; speakers can come out differently.',
        cost: 'The sample takes 1.2 s on two cores without a GPU; error rate on the same recordings 31.6 %.',
      },
    },
    speakers: 'Number of speakers',
    mode: { auto: 'Automatic', exact: 'Exactly', range: 'Between' },
    exact: 'Exact number of speakers',
    min: 'Smallest number of speakers',
    max: 'Largest number of speakers',
    and: 'and',
    backend: 'Run the models on',
    backends: { auto: 'Automatic', webgpu: 'WebGPU', wasm: 'WASM' },
    backendHint: 'Automatic takes the fastest that works on this machine.',
    now: (...choices: readonly string[]) => choices.join(' · '),
    speedNow: { exact: 'speed: exact', fast: 'speed: fast' },
    speakersNow: {
      auto: 'speakers: automatic',
      exact: (n: number) => plural(n, 'speaker', 'speakers'),
      range: (min: number, max: number) => `${min} to ${max} speakers`,
    },
    backendNow: { auto: 'backend: automatic', webgpu: 'on WebGPU', wasm: 'on WASM' },
  },

  running: {
    label: 'In progress',
    loading: 'Loading models',
    working: 'Analysing',
    elapsed: 'Elapsed',
    cancel: 'Cancel',
    escape: 'Esc',
    stages: STAGES,
    waiting: 'waiting',
    done: 'done',
    of: (completed: number, total: number) => `${count(completed)} / ${count(total)}`,
    left: (seconds: number) => (seconds < 1 ? 'under 1 s left' : `${span(Math.ceil(seconds))} left`),
    bar: (stage: string, fraction: number) => `${stage}: ${percent(fraction)}`,
    preview: {
      label: 'So far',
      covers: (seconds: number) => `The first ${span(seconds)}`,
      found: (speakers: number, turns: number) =>
        turns === 0 ? 'no speech yet' : `${plural(speakers, 'speaker', 'speakers')} · ${plural(turns, 'turn', 'turns')}`,
      hint: 'Provisional: turns and speakers can change until the whole recording is done.',
      lanes: 'Timeline of speakers so far',
    },
  },

  done: {
    label: 'Result',
    summary: (speakers: number, turns: number, seconds: number) =>
      [
        plural(speakers, 'speaker', 'speakers'),
        plural(turns, 'turn', 'turns'),
        clock(seconds),
      ].join(' · '),
    rttm: 'RTTM',
    rttmLabel: 'Download RTTM',
    json: 'JSON',
    jsonLabel: 'Download JSON',
    again: 'New recording',
    play: 'Play',
    pause: 'Pause',
    position: 'Position',
    silence: 'no one is speaking',
    unplayable: 'This browser cannot play this file. The lanes and the table still show the result.',
    modeLabel: 'Turns',
    mode: { overlapping: 'Overlapping', exclusive: 'Exclusive' },
    modeHint: 'Exclusive keeps one speaker at a time, for aligning transcripts.',
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    zoomFit: 'Fit',
    zoomFitLabel: 'Show the whole recording',
    lanes: 'Timeline of speakers',
    at: (seconds: number, speakers: string) => `${clock(seconds, 1)}, ${speakers}`,
    share: (fraction: number) => percent(fraction),
    laneTitle: (name: string, seconds: number, share: number) =>
      `${name}: ${span(seconds)} of speech, ${percent(share)} of all speech`,
    keys: [
      ['Space', 'play or pause'],
      ['← →', '5 seconds'],
      ['↑ ↓', 'turn by turn in the table'],
      ['Enter', 'play the turn'],
    ] as readonly (readonly [string, string])[],
    keysLabel: 'Keys',
    table: 'Turns',
    columns: { start: 'Start', end: 'End', length: 'Length', speaker: 'Speaker' },
    run: 'This run',
    speaker: (index: number) => `Speaker ${index + 1}`,
  },
  details: {
    preset: 'Preset',
    speed: 'Speed',
    embeddingModel: (sha256: string) => `model ${sha256.slice(0, 12)}…`,
    backend: 'Backend',
    processing: 'Processing time',
    factor: 'Real-time factor',
    audio: 'Audio',
    stages: 'Work per stage',
    stagesHint: 'Stages run side by side, so they can add up to more than the processing time.',
    faster: (rtf: number) =>
      rtf < 1 ? `${ratio(1 / rtf)} × faster than real time` : `${ratio(rtf)} × slower than real time`,
  },
  selfCheck: {
    heading: (passed: boolean) => (passed ? 'GPU self-check: passed' : 'GPU self-check: failed'),
    link: 'See every stage',
    columns: ['Stage', 'Off by', 'Allowed', 'Verdict'],
    pass: 'pass',
    fail: 'fail',
    hint: 'Before a GPU is used, it has to reproduce outputs that were computed elsewhere.',
    compare: (model: string) => `Compare ${model} layer by layer`,
    fallback: 'This GPU does not compute what it should, so it was not used for this result.',
  },
  silent: {
    heading: 'No speech found',
    body: (seconds: number) =>
      `The whole recording (${clock(seconds)}) was analysed, and no stretch of it was recognised as a voice.`,
    hint: 'If someone does speak in it, check that the right audio track was exported and that it is loud enough to hear.',
  },
  error: {
    label: 'Not analysed',
    heading: (file: string) => `${file} could not be analysed`,
    problem: 'What was wrong',
    expected: 'What was expected',
    remedy: 'What you can do',
    choose: 'Choose another file',
    retry: 'Try again',
    wasm: 'Retry on WASM',
    bundled: 'Retry with campplus',
    options: 'Change the options',
    back: (file: string) => `Back to the result for ${file}`,
    kept: 'Your last result is still here.',
    code: (code: string) => `Code: ${code}`,
  },
  announce: {
    started: (file: string) => `Started on ${file}. Loading models.`,
    stage: (stage: string) => stage,
    preview: ({ analysedSeconds, turns }: Preview) =>
      turns.length === 0
        ? `No speech in the first ${span(analysedSeconds)}.`
        : `The turns of the first ${span(analysedSeconds)} are shown. They can still change.`,
    done: (speakers: number, turns: number) =>
      turns === 0
        ? 'Done. No speech found.'
        : `Done. ${plural(speakers, 'speaker', 'speakers')}, ${plural(turns, 'turn', 'turns')}.`,
  },
} as const;

/** `WebGPU · <adapter>` or `WASM · 2 threads`. */
export function backendName(backend: BackendReport): string {
  return backend.name === 'webgpu'
    ? ['WebGPU', backend.adapter].filter(Boolean).join(' · ')
    : `WASM · ${plural(backend.threads, 'thread', 'threads')}`;
}

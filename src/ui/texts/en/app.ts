import type { Preview } from '../../../pipeline/types';
import { formatsIn } from '../../format';
import type { StageGroupId } from '../../stageGroups';
import type { Notice } from '../../state';

/** Every word of the main page in English. Its shape is that of the other languages. */

const { clock, count, percent, ratio, span } = formatsIn('en');
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

export const appEn = {
  name: 'Voxlane',
  tagline: 'Who spoke when, worked out in this browser. Your audio never leaves this machine.',
  skip: 'Skip to the content',
  theme: 'Switch between light and dark',
  language: 'Language',
  languageBusy: 'Another language loads the page anew, which would lose what is open or in progress',
  dismiss: 'Dismiss this message',
  /** To the page that compares models layer by layer. */
  compare: { href: 'compare.html', label: 'Compare a model' },
  pageTitle: {
    empty: 'Voxlane: who spoke when, in your browser',
    working: (file: string): string => `Working on ${file} · Voxlane`,
    done: (file: string): string => `${file} · Voxlane`,
    error: 'Not analyzed · Voxlane',
  },
  notices: NOTICES,

  empty: {
    heading: 'Open a recording and see who spoke when',
    lead: 'Drop an audio or video file anywhere on this page.',
    choose: 'Choose a file',
    sample: 'Try the sample',
    /** The file's name on the server, the same in every language. */
    sampleName: 'sample.wav',
    formats: 'WAV, MP3, M4A, FLAC, OGG, MP4, MOV, WebM. Nothing is uploaded.',
    facts: [
      ['Goes in', 'An audio or video file'],
      ['Comes out', 'Every turn of every speaker: to hear, to correct, and to take home as RTTM, JSON, subtitles and more'],
      ['Leaves this machine', 'Nothing'],
    ] as readonly (readonly [string, string])[],
    back: (file: string): string => `Back to the result for ${file}`,
  },
  drop: {
    ready: 'Drop a recording to analyze it, or a model (.onnx) to use it',
    busy: 'One recording at a time: cancel the one in progress first',
  },
  options: {
    summary: 'Options',
    speed: 'Speed',
    speeds: { exact: 'Exact', fast: 'Fast' },
    /** What each is, and what it costs. Measured: bench/RESULTS.md. */
    speedCost: {
      exact: {
        what: 'pyannote’s computation: the voice prints of every window.',
        cost: 'The sample, half a minute, takes 3 s on two cores without a GPU; error rate on eight recordings 32.1 %.',
      },
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
    checkGpu: 'Check the GPU again',
    gpuForgotten: 'The GPU will be checked again before the next recording.',
    now: (...choices: readonly string[]): string => choices.join(' · '),
    speedNow: { exact: 'speed: exact', fast: 'speed: fast' },
    speakersNow: {
      auto: 'speakers: automatic',
      exact: (n: number): string => plural(n, 'speaker', 'speakers'),
      range: (min: number, max: number): string => `${min} to ${max} speakers`,
    },
    backendNow: { auto: 'backend: automatic', webgpu: 'on WebGPU', wasm: 'on WASM' },
  },

  running: {
    label: 'In progress',
    loading: 'Loading models',
    working: 'Analyzing',
    elapsed: 'Elapsed',
    cancel: 'Cancel',
    escape: 'Esc',
    stages: STAGES,
    waiting: 'waiting',
    done: 'done',
    of: (completed: number, total: number): string => `${count(completed)} / ${count(total)}`,
    left: (seconds: number): string => (seconds < 1 ? 'under 1 s left' : `${span(Math.ceil(seconds))} left`),
    bar: (stage: string, fraction: number): string => `${stage}: ${percent(fraction)}`,
    preview: {
      label: 'So far',
      covers: (seconds: number): string => `The first ${span(seconds)}`,
      found: (speakers: number, turns: number): string =>
        turns === 0 ? 'no speech yet' : `${plural(speakers, 'speaker', 'speakers')} · ${plural(turns, 'turn', 'turns')}`,
      hint: 'Provisional: turns and speakers can change until the whole recording is done.',
      lanes: 'Timeline of speakers so far',
    },
  },

  done: {
    label: 'Result',
    summary: (speakers: number, turns: number, seconds: number): string =>
      [plural(speakers, 'speaker', 'speakers'), plural(turns, 'turn', 'turns'), clock(seconds)].join(' · '),
    rttm: 'RTTM',
    rttmLabel: 'Download RTTM',
    json: 'JSON',
    jsonLabel: 'Download JSON',
    again: 'New recording',
    play: 'Play',
    pause: 'Pause',
    position: 'Position',
    silence: 'no one is speaking',
    /** Why nothing plays. */
    playback: {
      unplayable: 'This browser cannot play this file. The lanes and the table still show the result.',
      'no-output': 'No audio output device was found. Connect one and press Play.',
      stopped: 'Playback stopped. Check the audio output device, then press Play to try again.',
    },
    modeLabel: 'Turns',
    mode: { overlapping: 'Overlapping', exclusive: 'Exclusive' },
    modeHint: 'Exclusive keeps one speaker at a time, for aligning transcripts.',
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    zoomFit: 'Fit',
    zoomFitLabel: 'Show the whole recording',
    lanes: 'Timeline of speakers',
    at: (seconds: number, speakers: string): string => `${clock(seconds, 1)}, ${speakers}`,
    share: (fraction: number): string => percent(fraction),
    laneTitle: (name: string, seconds: number, share: number): string =>
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
    speaker: (index: number): string => `Speaker ${index + 1}`,
  },
  details: {
    preset: 'Preset',
    speed: 'Speed',
    speeds: { exact: 'exact', fast: 'fast' },
    embeddingModel: (sha256: string): string => `model ${sha256.slice(0, 12)}…`,
    backend: 'Backend',
    threads: (n: number): string => plural(n, 'thread', 'threads'),
    processing: 'Processing time',
    factor: 'Real-time factor',
    audio: 'Audio',
    stages: 'Work per stage',
    stagesHint: 'Stages run side by side, so they can add up to more than the processing time.',
    faster: (rtf: number): string =>
      rtf < 1 ? `${ratio(1 / rtf)} × faster than real time` : `${ratio(rtf)} × slower than real time`,
  },
  selfCheck: {
    heading: (passed: boolean): string => (passed ? 'Self-check: passed' : 'Self-check: failed'),
    link: 'See every stage',
    columns: ['Stage', 'Off by', 'Allowed', 'Verdict'],
    pass: 'pass',
    fail: 'fail',
    backends: { webgpu: 'WebGPU', kernels: 'Voxlane’s WASM kernels', wasm: 'ONNX Runtime on WASM' },
    hint: 'Before a backend is used, it must reproduce reference outputs; a GPU must also reproduce the outputs of WASM. The check is repeated after 30 days, or when you choose “Check the GPU again” in the options.',
    compare: (model: string): string => `Compare ${model} layer by layer`,
    fallback: 'This GPU does not compute what it should, so it was not used for this result.',
    kernelFallback: 'Voxlane’s WASM kernels do not compute what they should in this browser, so ONNX Runtime computed this result.',
  },
  silent: {
    heading: 'No speech found',
    body: (seconds: number): string =>
      `The whole recording (${clock(seconds)}) was analyzed, and no stretch of it was recognized as a voice.`,
    hint: 'If someone does speak in it, check that the right audio track was exported and that it is loud enough to hear.',
  },
  error: {
    label: 'Not analyzed',
    heading: (file: string): string => `${file} could not be analyzed`,
    problem: 'What was wrong',
    expected: 'What was expected',
    remedy: 'What you can do',
    choose: 'Choose another file',
    retry: 'Try again',
    wasm: 'Retry on WASM',
    bundled: 'Retry with campplus',
    options: 'Change the options',
    back: (file: string): string => `Back to the result for ${file}`,
    kept: 'Your last result is still here.',
    code: (code: string): string => `Code: ${code}`,
    /** Above the engine's own words, which are English on every page. */
    original: 'The message in full, in English',
    details: 'Technical details',
  },
  announce: {
    started: (file: string): string => `Started on ${file}. Loading models.`,
    stage: (stage: string): string => stage,
    preview: ({ analysedSeconds, turns }: Preview): string =>
      turns.length === 0
        ? `No speech in the first ${span(analysedSeconds)}.`
        : `The turns of the first ${span(analysedSeconds)} are shown. They can still change.`,
    done: (speakers: number, turns: number): string =>
      turns === 0
        ? 'Done. No speech found.'
        : `Done. ${plural(speakers, 'speaker', 'speakers')}, ${plural(turns, 'turn', 'turns')}.`,
  },
};

export type AppWords = typeof appEn;

/** Compile-time tests of the public types of the library. This file is not executed. */
import { expectTypeOf } from 'expect-type';
import * as compare from '../../src/entries/compare';
import * as formats from '../../src/entries/formats';
import * as scoring from '../../src/entries/score';
import {
  diarize,
  Diarizer,
  Reclusterer,
  VoxlaneError,
  type BackendReport,
  type DiarizationResult,
  type DiarizationSource,
  type DiarizeOptions,
  type DiarizerOptions,
  type ErrorCode,
  type Speaker,
  type Turn,
} from '../../src/index';

declare const diarizer: Diarizer;
declare const file: File;
declare const error: VoxlaneError;
declare const result: DiarizationResult;

// Input and output of a run.
expectTypeOf(diarizer.diarize(file)).resolves.toEqualTypeOf<DiarizationResult>();
expectTypeOf(diarize(file, { speakers: 2, preset: 'fast', onProgress: () => undefined })).resolves.toEqualTypeOf<DiarizationResult>();
expectTypeOf(Diarizer.create()).resolves.toEqualTypeOf<Diarizer>();
expectTypeOf<File>().toExtend<DiarizationSource>();
expectTypeOf<ArrayBuffer>().toExtend<DiarizationSource>();
expectTypeOf<Float32Array>().toExtend<DiarizationSource>();
expectTypeOf<NonNullable<Response['body']>>().toExtend<DiarizationSource>();
expectTypeOf<AsyncGenerator<Float32Array>>().toExtend<DiarizationSource>();
// A path, in Node.
expectTypeOf<string>().toExtend<DiarizationSource>();
expectTypeOf<URL>().toExtend<DiarizationSource>();
expectTypeOf<ReadableStream<string>>().not.toExtend<DiarizationSource>();
expectTypeOf(result.turns).toEqualTypeOf<readonly Turn[]>();
expectTypeOf(result.exclusiveTurns).toEqualTypeOf<readonly Turn[]>();
expectTypeOf(result.speakers).toEqualTypeOf<readonly Speaker[]>();
expectTypeOf<Speaker['centroid']>().toEqualTypeOf<Float32Array | null>();
expectTypeOf<BackendReport['name']>().toEqualTypeOf<'wasm' | 'webgpu'>();
expectTypeOf<DiarizeOptions['signal']>().toEqualTypeOf<AbortSignal | undefined>();
expectTypeOf<DiarizerOptions['preset']>().toEqualTypeOf<'auto' | 'campplus' | 'community-1' | 'nemotron' | 'exact' | 'fast' | undefined>();

// Codes are a closed list, so a switch can be exhaustive.
expectTypeOf(error.code).toEqualTypeOf<ErrorCode>();
expectTypeOf<'cancelled' | 'options' | 'disposed' | 'gpu-lost' | 'model-missing' | 'audio-empty'>().toExtend<ErrorCode>();
expectTypeOf<string>().not.toExtend<ErrorCode>();
expectTypeOf<VoxlaneError>().toExtend<Error>();

// The formats, the score and reclustering accept a result.
expectTypeOf<DiarizationResult>().toExtend<formats.JsonSource>();
expectTypeOf<DiarizationResult>().toExtend<formats.RunResult>();
expectTypeOf(formats.toRttm).toBeCallableWith(result.turns, 'talk');
expectTypeOf(formats.parseRttm('')).toEqualTypeOf<Map<string, Turn[]>>();
expectTypeOf(scoring.score(result.turns, result.turns)).toEqualTypeOf<scoring.Scores>();
expectTypeOf(scoring.scoreRecordings).toBeCallableWith(formats.parseRttm(''), formats.parseRttm(''), { uem: formats.parseUem('') });
expectTypeOf<NonNullable<DiarizationResult['voices']>>().toEqualTypeOf<Parameters<typeof Reclusterer.create>[0]>();
// All entries export the same error class.
expectTypeOf<compare.VoxlaneError>().toEqualTypeOf<VoxlaneError>();
expectTypeOf(new compare.Comparator().compare('wasm')).resolves.toEqualTypeOf<compare.ComparisonReport>();

// Created by create(), which waits for the models.
expectTypeOf<typeof Diarizer>().not.toExtend<new () => Diarizer>();
// @ts-expect-error an image is not a recording
void diarizer.diarize(new ImageData(1, 1));
// @ts-expect-error unknown backend
void Diarizer.create({ backend: 'cuda' });
// @ts-expect-error a misspelled option
void diarize(file, { presets: 'fast' });
// @ts-expect-error a misspelled option
void diarizer.diarize(file, { speaker: 2 });
// Results are read-only.
expectTypeOf(result.turns).not.toExtend<Turn[]>();
// @ts-expect-error unknown code
if (error.code === 'cancel') throw error;
// @ts-expect-error golden is not a backend
void new compare.Comparator().compare('golden');
// @ts-expect-error seconds are numbers
formats.toSrt([{ startSeconds: '0', endSeconds: 1, speaker: 'A' }]);

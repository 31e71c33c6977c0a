/** Compile-time tests of the public types of `voxlane/react`. This file is not executed. */
import { expectTypeOf } from 'expect-type';
import { createElement, type ComponentProps } from 'react';
import {
  VoxlaneDiarizer,
  type DiarizationResult,
  type Progress,
  type ResultToShow,
  type SpeakerRename,
  type Turn,
  type VoxlaneDiarizerElement,
  type VoxlaneDiarizerProps,
  type VoxlaneError,
} from '../../src/entries/react';

declare const result: DiarizationResult;
type DetailOf<Name extends keyof VoxlaneDiarizerProps> = Parameters<NonNullable<VoxlaneDiarizerProps[Name]>>[0] extends CustomEvent<infer Detail> ? Detail : never;

// Every observed property and event has a prop.
expectTypeOf<VoxlaneDiarizerProps['minDurationOn']>().toEqualTypeOf<number | null | undefined>();
expectTypeOf<VoxlaneDiarizerProps['speakerNames']>().toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
expectTypeOf<VoxlaneDiarizerProps['result']>().toEqualTypeOf<ResultToShow | null | undefined>();
expectTypeOf<DiarizationResult>().toExtend<ResultToShow>();
expectTypeOf<readonly Turn[]>().toExtend<ResultToShow>();
expectTypeOf<VoxlaneDiarizerElement['result']>().toExtend<ResultToShow | null>();
expectTypeOf<DetailOf<'onResult'>>().toEqualTypeOf<DiarizationResult>();
expectTypeOf<DetailOf<'onProgress'>>().toEqualTypeOf<Progress>();
expectTypeOf<DetailOf<'onError'>>().toEqualTypeOf<VoxlaneError>();
expectTypeOf<DetailOf<'onRename'>>().toEqualTypeOf<SpeakerRename>();
expectTypeOf<DetailOf<'onTurnClick'>>().toEqualTypeOf<Turn>();
expectTypeOf<Parameters<NonNullable<VoxlaneDiarizerProps['onTimeUpdate']>>>().toEqualTypeOf<[event: Event]>();

// The ref is the element; HTML attributes and their listeners pass through.
expectTypeOf<ComponentProps<typeof VoxlaneDiarizer>['ref']>().toExtend<React.Ref<VoxlaneDiarizerElement> | undefined>();
createElement(VoxlaneDiarizer, {
  result,
  speakers: null,
  className: 'a',
  style: { width: 1 },
  'aria-label': 'b',
  onClick: ({ currentTarget }) => {
    currentTarget.pause();
  },
});
// @ts-expect-error a result needs turns
createElement(VoxlaneDiarizer, { result: { speakers: [] } });
// @ts-expect-error not a preset
createElement(VoxlaneDiarizer, { preset: 'best' });

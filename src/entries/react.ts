'use client';
/** `voxlane/react`: `<voxlane-diarizer>` as a component of React 18 and 19. On a server, it renders only the empty tag. */
import {
  createElement,
  forwardRef,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  type ForwardRefExoticComponent,
  type HTMLAttributes,
  type RefAttributes,
} from 'react';
import { defineElement } from '../widget/define';
import type { VoxlaneDiarizerElement } from '../widget/element';
import type { ResultToShow } from '../widget/givenResult';
import type { VoxlaneDiarizerEventMap } from '../widget/reflectingElement';

export type * from './widget';

// React 18 sets only attributes of custom elements and adds no listeners: the component does both, for every version.
defineElement();

/** Listeners for the events of the element. */
export interface VoxlaneDiarizerListeners {
  /** A stage of the run advanced. */
  readonly onProgress?: ((event: VoxlaneDiarizerEventMap['progress']) => void) | undefined;
  /** A run succeeded. */
  readonly onResult?: ((event: VoxlaneDiarizerEventMap['result']) => void) | undefined;
  /** A run failed, or a prop has an invalid value. */
  readonly onError?: ((event: VoxlaneDiarizerEventMap['error']) => void) | undefined;
  /** A run was canceled. */
  readonly onCancel?: ((event: VoxlaneDiarizerEventMap['cancel']) => void) | undefined;
  /** The user renamed a speaker. */
  readonly onRename?: ((event: VoxlaneDiarizerEventMap['rename']) => void) | undefined;
  /** The position of playback changed: the `currentTime` of the element. */
  readonly onTimeUpdate?: ((event: VoxlaneDiarizerEventMap['timeupdate']) => void) | undefined;
  /** The user chose a turn. With `preventDefault()`, playback does not move there. */
  readonly onTurnClick?: ((event: VoxlaneDiarizerEventMap['turnclick']) => void) | undefined;
}

/** The properties of the element. A property that is no longer passed gets its default. */
export type VoxlaneDiarizerProperties = {
  readonly [
    Name in
      | 'options'
      | 'preset'
      | 'speed'
      | 'speakers'
      | 'minSpeakers'
      | 'maxSpeakers'
      | 'minDurationOn'
      | 'minDurationOff'
      | 'track'
      | 'sampleRate'
      | 'backend'
      | 'modelsBase'
      | 'theme'
      | 'source'
      | 'src'
      | 'speakerNames'
      | 'currentTime'
  ]?: VoxlaneDiarizerElement[Name] | undefined;
};

/** Props of {@link VoxlaneDiarizer}: properties, listeners, children for the slots, and all HTML attributes. */
export interface VoxlaneDiarizerProps
  extends Omit<HTMLAttributes<VoxlaneDiarizerElement>, keyof VoxlaneDiarizerProperties | keyof VoxlaneDiarizerListeners>,
    VoxlaneDiarizerProperties,
    VoxlaneDiarizerListeners {
  /** A result, turns, or the text of an RTTM file to show without a run. Null or absent: the recording is analyzed. */
  readonly result?: ResultToShow | null | undefined;
}

type PropertyName = keyof VoxlaneDiarizerProperties | 'result';
type ListenerName = keyof VoxlaneDiarizerListeners;

/** Event of each listener. */
const EVENTS: Readonly<Record<ListenerName, keyof VoxlaneDiarizerEventMap>> = {
  onProgress: 'progress',
  onResult: 'result',
  onError: 'error',
  onCancel: 'cancel',
  onRename: 'rename',
  onTimeUpdate: 'timeupdate',
  onTurnClick: 'turnclick',
};

/** Whether `undefined` restores the default of a property; a position has none. All properties, in the order in which they are set. */
const HAS_DEFAULT: Readonly<Record<PropertyName, boolean>> = {
  options: true,
  preset: true,
  speed: true,
  speakers: true,
  minSpeakers: true,
  maxSpeakers: true,
  minDurationOn: true,
  minDurationOff: true,
  track: true,
  sampleRate: true,
  backend: true,
  modelsBase: true,
  theme: true,
  source: true,
  src: true,
  result: true,
  speakerNames: true,
  currentTime: false,
};
const PROPERTIES = Object.keys(HAS_DEFAULT) as PropertyName[];

type OwnProps = Partial<Record<PropertyName, unknown>>;

/** A server has no layout; React 18 would warn about the effect there. */
const useBrowserEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/**
 * `<voxlane-diarizer>` as a component, a client component in frameworks that distinguish them. Props are compared by
 * identity: keep `options`, `result` and `speakerNames` in state or memoize them.
 *
 * The ref is the element, with `diarize()`, `cancel()`, `play()` and `pause()`.
 */
export const VoxlaneDiarizer: ForwardRefExoticComponent<VoxlaneDiarizerProps & RefAttributes<VoxlaneDiarizerElement>> = forwardRef<
  VoxlaneDiarizerElement,
  VoxlaneDiarizerProps
>(function VoxlaneDiarizer(props, ref) {
  const element = useRef<VoxlaneDiarizerElement>(null);
  const latest = useRef<VoxlaneDiarizerListeners>(props);
  const applied = useRef<OwnProps>({});
  useImperativeHandle(ref, () => element.current!, []);
  useBrowserEffect(() => {
    latest.current = props;
  });
  useBrowserEffect(() => {
    const node = element.current;
    const call = (name: ListenerName) => (event: Event): void => {
      (latest.current[name] as ((event: Event) => void) | undefined)?.(event);
    };
    const listeners = (Object.keys(EVENTS) as ListenerName[]).map((name) => [EVENTS[name], call(name)] as const);
    for (const [type, listener] of listeners) node?.addEventListener(type, listener);
    return () => {
      for (const [type, listener] of listeners) node?.removeEventListener(type, listener);
    };
  }, []);
  useBrowserEffect(() => {
    const own = Object.fromEntries(PROPERTIES.map((name) => [name, props[name]]));
    if (element.current) applyProperties(element.current, applied.current, own);
    applied.current = own;
  });
  return createElement('voxlane-diarizer', { ...attributesOf(props), ref: element });
});

/** Removals come first: otherwise, the removal of `src` would also remove a `source` that replaces it. */
function applyProperties(element: VoxlaneDiarizerElement, before: OwnProps, now: OwnProps): void {
  const changed = PROPERTIES.filter((name) => before[name] !== now[name]);
  for (const name of changed) if (now[name] === undefined && HAS_DEFAULT[name]) Reflect.set(element, name, undefined);
  for (const name of changed) if (now[name] !== undefined) Reflect.set(element, name, now[name]);
}

/** The remaining props. React 18 does not translate `className` for custom elements. */
function attributesOf({ className, ...props }: VoxlaneDiarizerProps): Record<string, unknown> {
  const own: readonly string[] = [...PROPERTIES, ...Object.keys(EVENTS)];
  const attributes: Record<string, unknown> = Object.fromEntries(Object.entries(props).filter(([name]) => !own.includes(name)));
  return className === undefined ? attributes : { ...attributes, class: className };
}

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { VoxlaneDiarizerElement, VoxlaneDiarizerEventMap } from 'voxlane/widget';

type OwnEvents = 'progress' | 'result' | 'error' | 'cancel' | 'rename';
type OwnProperties = 'src' | 'source' | 'options' | 'preset' | 'speed' | 'speakers' | 'minSpeakers' | 'maxSpeakers' | 'backend' | 'modelsBase' | 'theme';

/** React adds listeners to custom elements by props named `on` plus the unchanged event name. */
type Listeners = { [Name in OwnEvents as `on${Name}`]?: (event: VoxlaneDiarizerEventMap[Name]) => void };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'voxlane-diarizer': DetailedHTMLProps<HTMLAttributes<VoxlaneDiarizerElement>, VoxlaneDiarizerElement> &
        Partial<Pick<VoxlaneDiarizerElement, OwnProperties>> &
        Listeners;
    }
  }
}

import type { Scope } from '../../ui-kit/scope';

/** The other tabs of the page, for changes of the stored models: a tab that lists a deleted model would download it without asking. */
export interface OtherTabs {
  /** Announces that stored models have changed. */
  readonly changed: () => void;
  /** Calls `listener` when another tab has changed stored models. */
  readonly onChange: (listener: () => void) => void;
}

/** Uses a BroadcastChannel. Without one, each tab has its own list. */
export function openOtherTabs(scope: Scope): OtherTabs {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('voxlane-models') : null;
  scope.add(() => {
    channel?.close();
  });
  return {
    changed: () => {
      channel?.postMessage(null);
    },
    onChange: (listener) => {
      if (channel) scope.on(channel, 'message', listener);
    },
  };
}

import type { PresetChoice } from '../engine';

const KEY = 'voxlane-preset';

/** The preset that was chosen on an earlier visit; `auto` where none was. */
export function rememberedPreset(): PresetChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'campplus' || value === 'community-1' ? value : 'auto';
  } catch {
    // Storage can be forbidden; then the choice lasts as long as the page.
    return 'auto';
  }
}

export function rememberPreset(preset: PresetChoice): void {
  try {
    if (preset === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, preset);
  } catch {
    // As in `rememberedPreset`.
  }
}

/** The default theme in the app's colors, with the system's fonts, and the pictures of the pages. */
import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme-without-fonts';
import './site.css';

const pictures = import.meta.glob<{ default: Parameters<Parameters<NonNullable<Theme['enhanceApp']>>[0]['app']['component']>[1] }>(
  './pictures/*.vue',
  { eager: true },
);

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    for (const [path, { default: picture }] of Object.entries(pictures)) {
      app.component(path.replace(/^.*\/|\.vue$/g, ''), picture);
    }
  },
} satisfies Theme;

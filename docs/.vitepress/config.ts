/** The documentation's site: what stands where, and which checks a page passes on its way into it. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig, type DefaultTheme } from 'vitepress';
import { repositoryLinks } from './repositoryLinks';

const API = resolve(import.meta.dirname, '../api');

export default defineConfig({
  title: 'Voxlane',
  description: 'Who spoke when, worked out in the browser.',
  lang: 'en-GB',
  // Relative addresses are not to be had: the site lies at the root of its server unless this says otherwise.
  base: process.env.VOXLANE_DOCS_BASE ?? '/',
  cleanUrls: false,
  lastUpdated: false,
  metaChunk: true,
  // Parts are set into other pages.
  srcExclude: ['parts/**'],
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${process.env.VOXLANE_DOCS_BASE ?? '/'}favicon.svg` }]],
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (markdown) => {
      repositoryLinks(markdown, resolve(import.meta.dirname, '..'));
    },
  },
  vite: {
    // The favicon and the sample are those of the app.
    publicDir: resolve(import.meta.dirname, '../../public'),
    build: { chunkSizeWarningLimit: 1200 },
  },
  themeConfig: {
    logo: { src: '/favicon.svg', alt: '' },
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Start', link: '/' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Compare a port', link: '/compare' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          { text: 'Start in five minutes', link: '/' },
          { text: 'How diarization works', link: '/concepts' },
          { text: 'Install and bundle', link: '/install' },
        ],
      },
      {
        text: 'Use',
        items: [
          { text: 'The widget', link: '/widget' },
          { text: 'The library', link: '/library' },
          { text: 'Single stages', link: '/stages' },
          { text: 'Presets, speed, error', link: '/presets' },
          { text: 'Models and licenses', link: '/models' },
          { text: 'Faults', link: '/faults' },
        ],
      },
      {
        text: 'Look inside',
        items: [
          { text: 'Compare a port', link: '/compare' },
          { text: 'Golden bundles', link: '/golden-bundle' },
          { text: 'For contributors', link: '/inside' },
        ],
      },
      { text: 'API', items: apiItems() },
    ],
    footer: { message: 'MIT license. The models have licenses of their own: see Models and licenses.' },
    docFooter: { prev: 'Before', next: 'Next' },
  },
});

/** One group an entry of the package, one page an export, as TypeDoc wrote them. */
function apiItems(): DefaultTheme.SidebarItem[] {
  const entries = [
    { text: 'voxlane', folder: 'index' },
    { text: 'voxlane/widget', folder: 'entries/widget' },
    { text: 'voxlane/formats', folder: 'entries/formats' },
    { text: 'voxlane/score', folder: 'entries/score' },
    { text: 'voxlane/compare', folder: 'entries/compare' },
  ];
  return entries
    .filter(({ folder }) => existsSync(join(API, folder)))
    .map(({ text, folder }) => ({ text, link: `/api/${folder}/`, collapsed: true, items: members(folder) }));
}

function members(folder: string): DefaultTheme.SidebarItem[] {
  return readdirSync(join(API, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.endsWith('index.md'))
    .map((path) => path.replaceAll('\\', '/').replace(/\.md$/, ''))
    .map((path) => ({ text: path.split('/').at(-1)!, link: `/api/${folder}/${path}` }))
    .sort((one, other) => one.text.localeCompare(other.text, 'en'));
}

/** The documentation site: navigation, theme and Markdown. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig, type DefaultTheme } from 'vitepress';
import { repositoryLinks } from './repositoryLinks';

const API = resolve(import.meta.dirname, '../api');

export default defineConfig({
  title: 'Voxlane',
  description: 'Speaker diarization in the browser: who spoke when.',
  lang: 'en-US',
  // VitePress has no relative addresses. By default, the site is at the root of its server.
  base: process.env.VOXLANE_DOCS_BASE ?? '/',
  cleanUrls: false,
  lastUpdated: false,
  metaChunk: true,
  // Parts are included in other pages.
  srcExclude: ['parts/**'],
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${process.env.VOXLANE_DOCS_BASE ?? '/'}favicon.svg` }]],
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (markdown) => {
      repositoryLinks(markdown, resolve(import.meta.dirname, '..'));
    },
  },
  vite: {
    // For the favicon and the sample of the app.
    publicDir: resolve(import.meta.dirname, '../../public'),
    build: { chunkSizeWarningLimit: 1200 },
  },
  themeConfig: {
    logo: { src: '/favicon.svg', alt: '' },
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Start', link: '/' },
      { text: 'App', link: '/app' },
      { text: 'Command line', link: '/command-line' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Compare a port', link: '/compare' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Get started',
        items: [
          { text: 'Start in five minutes', link: '/' },
          { text: 'How diarization works', link: '/concepts' },
          { text: 'Install and bundle', link: '/install' },
        ],
      },
      {
        text: 'Use',
        items: [
          { text: 'The app', link: '/app' },
          { text: 'The command line', link: '/command-line' },
          { text: 'Corpus runs', link: '/corpus' },
          { text: 'Ten thousand hours', link: '/ten-thousand-hours' },
          { text: 'The widget', link: '/widget' },
          { text: 'The library', link: '/library' },
          { text: 'Node', link: '/node' },
          { text: 'Single stages', link: '/stages' },
          { text: 'Presets, speed and error rates', link: '/presets' },
          { text: 'Models and licenses', link: '/models' },
          { text: 'Errors', link: '/faults' },
        ],
      },
      {
        text: 'Under the hood',
        items: [
          { text: 'Compare a port', link: '/compare' },
          { text: 'Golden bundles', link: '/golden-bundle' },
          { text: 'For contributors', link: '/inside' },
        ],
      },
      { text: 'API', items: apiItems() },
    ],
    footer: { message: 'MIT license. The models have their own licenses: see Models and licenses.' },
    docFooter: { prev: 'Previous', next: 'Next' },
  },
});

/** One group per entry of the package and one page per export, as TypeDoc wrote them. */
function apiItems(): DefaultTheme.SidebarItem[] {
  const entries = [
    { text: 'voxlane', folder: 'index' },
    { text: 'voxlane/widget', folder: 'entries/widget' },
    { text: 'voxlane/react', folder: 'entries/react' },
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

import { Diarizer } from '../index';
import { mountApp } from './app';

const root = document.getElementById('app');
if (root) mountApp(root, (options) => Diarizer.create(options));

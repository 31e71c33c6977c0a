#!/usr/bin/env node
/** All commands of Voxlane. `voxlane --help` lists them. */
import { run } from '../dist/cli/voxlane.js';

process.exitCode = await run(process.argv.slice(2));

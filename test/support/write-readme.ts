// `npm run readme`: writes the parts of the README that are made from the code.

import { readFileSync, writeFileSync } from 'node:fs';
import { madeAnew } from './readme.ts';

const readme = new URL('../../README.md', import.meta.url);
writeFileSync(readme, madeAnew(readFileSync(readme, 'utf8')));

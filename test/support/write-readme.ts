// `npm run readme`: writes what is made from the code: parts of the README, and `.env.example`.

import { readFileSync, writeFileSync } from 'node:fs';
import { envExample } from './env-example.ts';
import { madeAnew } from './readme.ts';

const readme = new URL('../../README.md', import.meta.url);
writeFileSync(readme, madeAnew(readFileSync(readme, 'utf8')));
writeFileSync(new URL('../../.env.example', import.meta.url), envExample());

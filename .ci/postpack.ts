// After `npm pack`: the checkout has its own package.json again.

import { swapBack } from './manifest.ts';

swapBack();

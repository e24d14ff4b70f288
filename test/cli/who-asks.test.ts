import { expect, test } from 'vitest';
import { type World, whoAsks } from '../../src/cli/world.ts';

const asks = (env: World['env']) => whoAsks({ env, user: 'fabric-syncd', hostname: 'noc' });

test('the person behind sudo asks, else who is logged in, else the user of the process', () => {
  expect(asks({ SUDO_USER: 'ann', USER: 'root' })).toBe('ann@noc');
  expect(asks({ USER: 'root', LOGNAME: 'bob' })).toBe('root@noc');
  expect(asks({ USER: '', LOGNAME: 'bob' })).toBe('bob@noc');
  expect(asks({})).toBe('fabric-syncd@noc');
});

// Which kinds are read: defaults, additions, removals, and what is never read.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../machines/fabric/failure.ts';
import { nearest } from '../src/nearest.ts';
import { kindsAddable, kindsDefault, resolveKinds } from '../src/sync/kinds.ts';

function refusal(added: readonly string[], removed: readonly string[] = []): string {
  try {
    resolveKinds(added, removed);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(FabricFailure);
    expect((thrown as FabricFailure).code).toBe('SETTINGS_INVALID');
    return (thrown as FabricFailure).message;
  }
  throw new Error('nothing was refused');
}

const labels = (added: readonly string[] = [], removed: readonly string[] = []) =>
  resolveKinds(added, removed).map(({ label }) => label);

describe('the kinds to read', () => {
  test('are the twelve of the plugin and the three of the gateway where nothing is set', () => {
    expect(labels()).toEqual(
      (
        'Switch Server Connection SwitchGroup VLANNamespace VPC VPCAttachment VPCPeering External ExternalAttachment ' +
        'ExternalPeering IPv4Namespace Gateway GatewayGroup GatewayPeering'
      ).split(' '),
    );
    expect(kindsDefault).toHaveLength(15);
    expect(resolveKinds([], []).every(({ added, namespace }) => !added && namespace === null)).toBe(true);
  });

  test('a known kind is added by its bare name, in any case, and is marked as asked for', () => {
    const profile = resolveKinds(['switchprofile'], []).find(({ kind }) => kind === 'SwitchProfile');
    expect(profile).toEqual({
      group: 'wiring.githedgehog.com',
      kind: 'SwitchProfile',
      label: 'SwitchProfile',
      added: true,
      namespace: null,
    });
  });

  test('a default kind that is also added counts as asked for, and is read once', () => {
    const gateways = resolveKinds(['Gateway'], []).filter(({ kind }) => kind === 'Gateway');
    expect(gateways).toMatchObject([{ added: true }]);
  });

  test('the kinds of the installer are looked for where the product keeps them', () => {
    expect(resolveKinds(['FabNode'], []).at(-1)).toMatchObject({ kind: 'FabNode', namespace: 'fab' });
  });

  test('a kind of a newer product is added by its name and group', () => {
    expect(resolveKinds(['Tunnel.overlay.githedgehog.com'], []).at(-1)).toMatchObject({
      group: 'overlay.githedgehog.com',
      kind: 'Tunnel',
      label: 'Tunnel',
    });
  });

  test('two kinds of one name are told apart by their groups', () => {
    expect(labels(['Switch.next.githedgehog.com'])).toEqual(
      expect.arrayContaining(['Switch.wiring.githedgehog.com', 'Switch.next.githedgehog.com', 'Server']),
    );
  });

  test('a removed kind is not read', () => {
    expect(labels([], ['Gateway', 'VPCPeering.vpc.githedgehog.com'])).toHaveLength(13);
    expect(labels([], ['Gateway'])).not.toContain('Gateway');
  });
});

describe('what is refused', () => {
  test.each([
    ['Agent', /never stored: it holds password hashes/],
    ['agent.agent.githedgehog.com', /never stored/],
    ['Agent.moved.githedgehog.com', /never stored/],
    ['GatewayAgent', /never stored: it is the state of a gateway/],
    ['DHCPSubnet', /never stored: it holds leases/],
    ['Fabricator', /never stored: it holds password hashes, SSH keys and the join token/],
  ])('%s, with the reason', (kind, reason) => {
    expect(refusal([kind])).toMatch(reason);
  });

  test.each([
    ['Swich', 'did you mean Switch?'],
    ['VPCAtachment', 'did you mean VPCAttachment?'],
    ['gatewaypering', 'did you mean GatewayPeering?'],
    ['Secret', 'Kind.group'],
  ])('%s, with a word that helps', (kind, help) => {
    expect(refusal([kind])).toContain(help);
  });

  test('a kind of another product', () => {
    expect(refusal(['Deployment.apps.example.com'])).toContain('of another product');
    expect(refusal(['Secret.evilgithedgehog.com'])).toContain('of another product');
  });

  test('a misspelt removal, because it would remove nothing', () => {
    expect(refusal([], ['Swich.wiring.githedgehog.com'])).toContain('did you mean Switch.wiring.githedgehog.com?');
  });

  test('a kind that is both added and removed, and a choice that leaves nothing', () => {
    expect(refusal(['Catalog'], ['catalog'])).toContain('Catalog is both added and removed');
    const all = kindsDefault.map(({ kind }) => kind);
    expect(refusal([], all)).toContain('nothing is left to read');
    expect(labels(['Catalog'], all)).toEqual(['Catalog']);
  });

  test('every problem at once, on one line', () => {
    const message = refusal(['Swich', 'Agent', 'line\nbreak'], ['Nothing']);
    expect(message.split(';')).toHaveLength(5);
    expect(message).not.toContain('\n');
  });
});

describe('the nearest word', () => {
  test('is each known word for itself, whatever its case', () => {
    const words = [...kindsDefault, ...kindsAddable].map(({ kind }) => kind);
    for (const word of words) expect(nearest(word.toUpperCase(), words)).toBe(word);
  });

  test('is none where nothing is near', () => {
    expect(nearest('Deployment', ['Switch', 'Server'])).toBeNull();
    expect(nearest('', ['Switch'])).toBeNull();
  });
});

import { parseAllDocuments } from 'yaml';
import { rbacManifest } from '../kube/rbac.ts';
import { resolveKinds } from '../sync/kinds.ts';
import { withSettings } from './database.ts';
import { namedRecord } from './named-record.ts';
import { verb } from './verb.ts';

interface RbacFor {
  readonly name: string;
  readonly namespace: string;
  readonly kindsAdded: readonly string[];
  readonly kindsRemoved: readonly string[];
}

/** What a fabric is that nobody has set otherwise. */
const anyFabric: RbacFor = { name: 'NAME', namespace: 'default', kindsAdded: [], kindsRemoved: [] };

export const rbacVerb = verb<[fabric?: string]>({
  path: ['rbac'],
  summary: 'print the rights that the token of a fabric needs, and no more',
  details:
    'A ServiceAccount with its token, a Role that may list the kinds, and its binding, as YAML for kubectl. ' +
    'Without a fabric it is for one that is set to the defaults, and needs no database. With --json it is a v1 List.',
  examples: ['fabric-syncd rbac lab | kubectl apply -f -', 'fabric-syncd rbac > rbac.yaml'],
  define(command) {
    command.argument('[fabric]', 'name or number');
  },
  async run(call) {
    const [named] = call.args;
    const { out } = call;
    const fabric =
      named === undefined ? anyFabric : await withSettings(call, (settings) => namedRecord(settings, named));
    const manifest = rbacManifest(fabric, resolveKinds(fabric.kindsAdded, fabric.kindsRemoved));
    out.text(manifest);
    out.document({ apiVersion: 'v1', kind: 'List', items: parseAllDocuments(manifest).map((each) => each.toJS()) });
    return 'done';
  },
});

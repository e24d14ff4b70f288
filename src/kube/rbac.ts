// The rights that a sync needs, and no more, as YAML for `kubectl apply -f -`.

import { stringify } from 'yaml';
import { oneLine } from '../../machines/fabric/failure.ts';

/** The name of every object in the manifest. */
const account = 'fabric-syncd';
const identity = `${account}-identity`;
const rbac = 'rbac.authorization.k8s.io';
const labels = { 'app.kubernetes.io/name': account };

/**
 * The plurals of the product's kinds. They are the names of its CRDs and cannot change. Rights are written before there
 * is anything that could ask discovery; a sync asks discovery and never this table.
 */
const pluralByKind: Readonly<Record<string, string>> = {
  'wiring.githedgehog.com/Switch': 'switches',
  'wiring.githedgehog.com/Server': 'servers',
  'wiring.githedgehog.com/Connection': 'connections',
  'wiring.githedgehog.com/SwitchGroup': 'switchgroups',
  'wiring.githedgehog.com/VLANNamespace': 'vlannamespaces',
  'wiring.githedgehog.com/SwitchProfile': 'switchprofiles',
  'wiring.githedgehog.com/ServerProfile': 'serverprofiles',
  'wiring.githedgehog.com/Fabric': 'fabrics',
  'vpc.githedgehog.com/VPC': 'vpcs',
  'vpc.githedgehog.com/VPCAttachment': 'vpcattachments',
  'vpc.githedgehog.com/VPCPeering': 'vpcpeerings',
  'vpc.githedgehog.com/External': 'externals',
  'vpc.githedgehog.com/ExternalAttachment': 'externalattachments',
  'vpc.githedgehog.com/ExternalPeering': 'externalpeerings',
  'vpc.githedgehog.com/IPv4Namespace': 'ipv4namespaces',
  'gateway.githedgehog.com/Gateway': 'gateways',
  'gateway.githedgehog.com/GatewayGroup': 'gatewaygroups',
  'gateway.githedgehog.com/GatewayPeering': 'gatewaypeerings',
  'gateway.githedgehog.com/VPCInfo': 'vpcinfos',
  'gateway.githedgehog.com/Peering': 'peerings',
  'agent.githedgehog.com/Catalog': 'catalogs',
  'fabricator.githedgehog.com/FabNode': 'fabnodes',
  'fabricator.githedgehog.com/ControlNode': 'controlnodes',
  'fcint.githedgehog.com/FabricController': 'fabriccontrollers',
};

/** A kind that is to be listed. */
export interface ListedKind {
  readonly group: string;
  readonly kind: string;
  /** As discovery says it; where absent, the product's own kinds are known. */
  readonly plural?: string;
  /** Null or absent: the fabric's namespace. */
  readonly namespace?: string | null;
}

/**
 * A service account with its token, the right to list the kinds in their namespace, and the right to read one
 * namespace object, `kube-system`, whose uid tells a cluster from another one behind the same address.
 *
 * No `watch`, since nothing is watched; no `get`, since a list holds the whole objects; never `*`, which would open
 * kinds that hold passwords; discovery is open to every account.
 */
export function rbacManifest(
  fabric: { readonly name: string; readonly namespace: string },
  kinds: readonly ListedKind[],
): string {
  const { namespace } = fabric;
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  const { rules, unknown } = rulesOf(namespace, kinds);
  const documents = [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: account, namespace, labels },
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: account, namespace, labels, annotations: { 'kubernetes.io/service-account.name': account } },
    },
    ...[...rules].flatMap(([where, byGroup]) => [
      {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: { name: account, namespace: where, labels },
        rules: [...byGroup].map(([group, plurals]) => ({
          apiGroups: [group],
          resources: [...plurals],
          verbs: ['list'],
        })),
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: { name: account, namespace: where, labels },
        roleRef: { apiGroup: rbac, kind: 'Role', name: account },
        subjects,
      },
    ]),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name: identity, labels },
      rules: [{ apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: identity, labels },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: identity },
      subjects,
    },
  ];
  const yaml = documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `${head(fabric, unknown)}---\n${yaml.join('---\n')}`;
}

/** namespace -> group -> plurals, in the order given, and the kinds whose plural nobody knows. */
function rulesOf(namespace: string, kinds: readonly ListedKind[]) {
  const rules = new Map<string, Map<string, Set<string>>>([[namespace, new Map()]]);
  const unknown: string[] = [];
  for (const { group, kind, ...more } of kinds) {
    const plural = more.plural ?? pluralByKind[`${group}/${kind}`];
    if (plural === undefined) {
      unknown.push(`${kind}.${group}`);
      continue;
    }
    const where = more.namespace ?? namespace;
    const byGroup = rules.get(where) ?? new Map<string, Set<string>>();
    rules.set(where, byGroup.set(group, (byGroup.get(group) ?? new Set()).add(plural)));
  }
  return { rules, unknown };
}

function head(fabric: { readonly name: string; readonly namespace: string }, unknown: readonly string[]): string {
  const secret = `kubectl -n ${oneLine(fabric.namespace)} get secret ${account} -o jsonpath=`;
  const lines = [
    `What ${account} needs on the cluster of fabric ${oneLine(fabric.name)}: apply it there, with kubectl apply -f -`,
    'The token and the CA are then in the Secret:',
    `  ${secret}'{.data.token}' | base64 -d > token`,
    `  ${secret}'{.data.ca\\.crt}' | base64 -d > ca.crt`,
    `The ClusterRole ${identity} and its binding are optional: without them, another cluster behind the same address`,
    'is not noticed.',
    ...unknown.map((kind) => `Add by hand the plural of ${oneLine(kind)} (kubectl api-resources tells it).`),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

// Every expression of the dashboard and the alert rules, taken apart by the parser of Prometheus's own web page.

import { readFileSync } from 'node:fs';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { parse as parseYaml } from 'yaml';

export interface Expression {
  /** Where it stands. */
  readonly where: string;
  readonly text: string;
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  /** Null where it is chosen by a matcher of `__name__`. */
  readonly metric: string | null;
  readonly matchers: readonly Matcher[];
}

export interface Parsed {
  /** What the parser could not take, with its surroundings. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels that are grouped by or matched on. */
  readonly grouping: readonly string[];
}

export function parsePromql(text: string): Parsed {
  const errors: string[] = [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const said = ({ from, to }: { from: number; to: number }) => text.slice(from, to);
  parser.parse(text).iterate({
    enter({ name, type, from, to, node }) {
      if (type.isError) errors.push(`at ${from}: ${text.slice(Math.max(0, from - 20), to + 20)}`);
      if (name === 'VectorSelector') {
        const metric = node.getChild('Identifier');
        selectors.push({ metric: metric && said(metric), matchers: matchersOf(node, said) });
      }
      if (name === 'GroupingLabels') for (const label of node.getChildren('LabelName')) grouping.push(said(label));
    },
  });
  return { errors, selectors, grouping };
}

function matchersOf(selector: SyntaxNode, said: (node: SyntaxNode) => string): Matcher[] {
  const found = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return found.map((matcher) => {
    const part = (name: string) => {
      const child = matcher.getChild(name);
      return child ? said(child) : '';
    };
    return {
      label: part('LabelName'),
      operator: part('MatchOp'),
      value: JSON.parse(part('StringLiteral')) as string,
    };
  });
}

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const file = (name: string) => readFileSync(new URL(`../../otel/${name}`, import.meta.url), 'utf8');

export function alertRules(): readonly Rule[] {
  const { groups } = parseYaml(file('alerts.yaml')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
}

export const dashboard = (): Dashboard => JSON.parse(file('grafana-dashboard.json')) as Dashboard;

/** As Grafana would ask them: its variables in place. */
export function allExpressions(): readonly Expression[] {
  const { panels, templating } = dashboard();
  const alerts = alertRules().map(({ alert, expr }) => ({ where: `alert ${alert}`, text: expr }));
  const drawn = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: `panel ${title}`, text: expr })),
  );
  const variables = templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => {
      const [, selector = '', label = ''] =
        /^label_values\((.+), (\w+)\)$/.exec((query as { query: string }).query) ?? [];
      return { where: `variable ${name}`, text: `group by (${label}) (${selector})` };
    });
  return [...alerts, ...drawn, ...variables].map(({ where, text }) => ({
    where,
    text: text.replaceAll('$__rate_interval', '5m'),
  }));
}

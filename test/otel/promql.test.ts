// The dashboard and the alerts as documents. That what they ask for exists is tested on a running daemon, beside its metrics.

import { describe, expect, test } from 'vitest';
import { alertRules, allExpressions, dashboard, parsePromql } from '../support/promql.ts';

describe('expressions', () => {
  test.each(allExpressions().map(({ where, text }) => [where, text] as const))('%s can be read', (_, text) => {
    expect(parsePromql(text).errors).toEqual([]);
  });

  test('one that is broken is found', () => {
    expect(parsePromql('sum(rate(x[5m])').errors).not.toEqual([]);
    expect(parsePromql('sum by le (x)').errors).not.toEqual([]);
  });
});

describe('alerts', () => {
  test('each says what happened, what that means and what to do, and how urgent it is', () => {
    for (const { alert, labels, annotations } of alertRules()) {
      expect(Object.keys(annotations), alert).toEqual(['summary', 'description', 'action']);
      for (const text of Object.values(annotations)) expect(text, alert).toMatch(/\S.{15,}/s);
      expect(['page', 'ticket'], alert).toContain(labels.severity);
    }
  });

  test('names are told apart', () => {
    const names = alertRules().map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  test('a template uses no label that the expression has not left', () => {
    for (const { alert, expr, annotations } of alertRules()) {
      const { grouping, selectors } = parsePromql(expr);
      const matched = selectors.flatMap(({ matchers }) => matchers.map(({ label }) => label));
      const left = new Set(['job', 'instance', ...grouping, ...matched]);
      for (const [, label = ''] of Object.values(annotations)
        .join('\n')
        .matchAll(/\$labels\.(\w+)/g))
        expect([...left], alert).toContain(label);
    }
  });
});

describe('the dashboard', () => {
  test('each panel says what it shows, and has something to show', () => {
    for (const { title, type, description, targets = [] } of dashboard().panels) {
      if (type === 'row') continue;
      expect(description, title).toMatch(/\S/);
      expect(targets.length, title).toBeGreaterThan(0);
    }
  });
});

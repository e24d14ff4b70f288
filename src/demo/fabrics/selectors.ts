// `labelSelector` and `fieldSelector` of a LIST.

import type { StoredObject } from './stored-object.ts';

type Test = (stored: StoredObject) => boolean;

/**
 * @returns the test; null where nothing is selected; a sentence where a selector cannot be read
 */
export function readSelectors(labelSelector: string, fieldSelector: string): Test | null | string {
  const tests: Test[] = [];
  for (const requirement of split(labelSelector)) {
    const test = labelTest(requirement);
    if (!test) return `unable to parse requirement: ${requirement}`;
    tests.push(test);
  }
  for (const requirement of split(fieldSelector)) {
    const test = fieldTest(requirement);
    if (!test) return `field label not supported: ${requirement}`;
    tests.push(test);
  }
  return tests.length === 0 ? null : (stored) => tests.every((test) => test(stored));
}

/** At commas, except those within parentheses. */
function split(selector: string): string[] {
  return (selector.match(/(?:[^,(]|\([^)]*\))+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

function labelTest(requirement: string): Test | null {
  const amongst = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(requirement);
  if (amongst) {
    const [, key = '', operator, list = ''] = amongst;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return (stored) => {
      const value = stored.labels?.[key];
      return operator === 'in' ? value !== undefined && values.has(value) : value === undefined || !values.has(value);
    };
  }
  const compared = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s=]*)$/.exec(requirement);
  if (compared) {
    const [, key = '', operator, value] = compared;
    return (stored) => (stored.labels?.[key] === value) === (operator !== '!=');
  }
  const present = /^(!?)\s*([^\s!=()]+)$/.exec(requirement);
  if (!present) return null;
  const [, not, key = ''] = present;
  return (stored) => (stored.labels?.[key] !== undefined) === (not === '');
}

function fieldTest(requirement: string): Test | null {
  const compared = /^metadata\.(name|namespace)(==|=|!=)(.*)$/.exec(requirement);
  if (!compared) return null;
  const [, field, operator, value] = compared;
  return (stored) => ((field === 'name' ? stored.name : stored.namespace) === value) === (operator !== '!=');
}

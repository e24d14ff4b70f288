import { describe, expect, test } from 'vitest';
import { readExposition } from './exposition.ts';

const head = '# HELP a_total says\n# TYPE a_total counter\n';
const histogram = (lines: string) => `# HELP h says\n# TYPE h histogram\n${lines}`;

describe('the reader of Prometheus’s text', () => {
  test('reads what is right', () => {
    const text = `${head}a_total{x="1",y="a\\"\\\\\\nb"} 3\n\n${histogram('h_count 2\nh_sum 0.5\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n')}`;
    const families = readExposition(text);
    expect(families.get('a_total')?.samples).toEqual([{ name: 'a_total', labels: { x: '1', y: 'a"\\\nb' }, value: 3 }]);
    expect(families.get('h')?.samples).toHaveLength(4);
  });

  test.each([
    ['without a line feed at the end', `${head}a_total 1`],
    ['a sample without its family', 'a_total 1\n'],
    ['a sample in another family', `${head}b_total 1\n`],
    ['a family without samples', head],
    ['a family without HELP', '# TYPE a_total counter\na_total 1\n'],
    ['a family that is told twice', `${head}a_total 1\n# TYPE a_total counter\na_total{x="1"} 1\n`],
    ['a type that there is not', '# HELP a says\n# TYPE a number\na 1\n'],
    ['a counter without _total', '# HELP a says\n# TYPE a counter\na 1\n'],
    ['a gauge with _total', '# HELP a_total says\n# TYPE a_total gauge\na_total 1\n'],
    ['a counter below 0', `${head}a_total -1\n`],
    ['a series that is there twice', `${head}a_total{x="1"} 1\na_total{x="1"} 2\n`],
    ['a label that is there twice', `${head}a_total{x="1",x="2"} 1\n`],
    ['a label that breaks out', `${head}a_total{x="1"y"} 1\n`],
    ['an escape that there is not', `${head}a_total{x="\\t"} 1\n`],
    ['a label with dots in its name', `${head}a_total{x.y="1"} 1\n`],
    ['no number', `${head}a_total undefined\n`],
    ['a comment of no use', `${head}# UNIT a_total seconds\na_total 1\n`],
    ['a histogram without +Inf', histogram('h_count 1\nh_sum 1\nh_bucket{le="1"} 1\n')],
    ['a histogram that falls', histogram('h_count 1\nh_sum 1\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\n')],
    ['a histogram that miscounts', histogram('h_count 3\nh_sum 1\nh_bucket{le="+Inf"} 2\n')],
    ['a histogram without its sum', histogram('h_count 2\nh_bucket{le="+Inf"} 2\n')],
  ])('refuses %s', (_, text) => expect(() => readExposition(text)).toThrow());
});

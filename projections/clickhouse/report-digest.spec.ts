import { projectionVersion, reportDigest } from './report-digest';

const answer = {
  report: 'course-outcomes',
  parameters: { tenant: 'acme' },
  asOf: { position: '4711', effective: '2026-03-01T23:59:59.999Z' },
  projection: projectionVersion('course-outcomes'),
  rows: [{ course: 'safety', enrolled: 2, meanScore: 66.66666666666667 }],
};

it('is the same for the same answer, in whatever order its fields stand', () => {
  const { rows, ...rest } = answer;
  expect(reportDigest({ rows: rows.map(({ course, ...row }) => ({ ...row, course })), ...rest })).toBe(
    reportDigest(answer),
  );
});

it('takes numbers that differ in how they were added up for the same', () => {
  const rows = [{ ...answer.rows[0]!, meanScore: 66.66666666666666 }];
  expect(reportDigest({ ...answer, rows })).toBe(reportDigest(answer));
});

it.each([
  ['the report', { report: 'team-compliance' }],
  ['the tenant', { parameters: { tenant: 'other' } }],
  ['the position', { asOf: { ...answer.asOf, position: '4712' } }],
  ['the date', { asOf: { ...answer.asOf, effective: '2026-03-02T23:59:59.999Z' } }],
  ['the SQL', { projection: projectionVersion('team-compliance') }],
  ['a count', { rows: [{ ...answer.rows[0]!, enrolled: 3 }] }],
  ['a mean', { rows: [{ ...answer.rows[0]!, meanScore: 66.666667 }] }],
  ['a row less', { rows: [] }],
])('is another one when %s is another one', (_, change) => {
  expect(reportDigest({ ...answer, ...change })).not.toBe(reportDigest(answer));
});

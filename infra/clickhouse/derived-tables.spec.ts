import { readMigrations } from '../../projections/clickhouse';
import { targetOf } from '../../packages/eventsourcing';
import { type Derivation, inGroups } from './derived-tables';

const derivation = (name: string, derive: string): Derivation => ({ name, create: [], derive });

describe('Derivations in groups', () => {
  it('given one that reads what another writes, then it comes after that, and what reads neither comes first', () => {
    const a = derivation('1', 'INSERT INTO a SELECT * FROM events');
    const ofA = derivation('2', 'INSERT INTO of_a SELECT * FROM a');
    const ofBoth = derivation('3', 'INSERT INTO of_both SELECT * FROM of_a JOIN a USING (id)');
    const b = derivation('4', 'INSERT INTO b SELECT * FROM events');
    expect(inGroups([a, ofA, ofBoth, b])).toEqual([[a, b], [ofA], [ofBoth]]);
  });

  it('given two that write one table, then neither waits for the other', () => {
    const one = derivation('1', 'INSERT INTO a SELECT 1 FROM events');
    const other = derivation('2', 'INSERT INTO a SELECT 2 FROM events');
    expect(inGroups([one, other])).toEqual([[one, other]]);
  });

  it('given those of Attest, then only the lines of teams wait, for those of people', () => {
    const derivations = readMigrations().filter((each): each is Derivation => each.derive !== undefined);
    const [first, ...later] = inGroups(derivations).map((group) => group.map(targetOf));
    expect(first).toContain('reporting_line_facts');
    expect(later).toEqual([['team_lines']]);
  });
});

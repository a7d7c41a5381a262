import fc from 'fast-check';
import { foldEvents } from '../eventsourcing';
import { given } from '../eventsourcing/testing';
import { reportingLinesDecider } from './reporting-lines.decider';
import type { Claim, ReportingLineReason, ReportingLinesEvent } from './reporting-lines.events';
import { lineOf, pathUp, type ReportingTree } from './reporting-tree';

const [ann, bob, cyn, dan] = ['ann', 'bob', 'cyn', 'dan'] as const;
const at = '2026-06-01T00:00:00.000Z';
const since = (day: string): string => `${day}T00:00:00.000Z`;

function claim(from: string, manager: string | null): Claim {
  return { from, manager, cause: `${from} ${manager}` };
}
const place = (person: string, ...claims: Claim[]) =>
  ({ type: 'PlaceInReportingLine', at, data: { person, claims } }) as const;
const leave = (person: string, on = '2026-06-01') =>
  ({ type: 'LeaveReportingLine', at: since(on), data: { person, cause: `${person} left` } }) as const;
const rejoin = (person: string) =>
  ({ type: 'RejoinReportingLine', at, data: { person, cause: `${person} came back` } }) as const;
type Command = ReturnType<typeof place> | ReturnType<typeof leave> | ReturnType<typeof rejoin>;

function hr({ from, manager: claimed, cause }: Claim): ReportingLineReason {
  return { kind: 'hr', claimed, cause, from };
}
function changed(person: string, told: Claim, manager = told.manager, effectiveOn = told.from): ReportingLinesEvent {
  return {
    type: 'ReportingLineChanged',
    data: { people: [person], manager, reason: hr(told), effectiveOn },
    at: since(effectiveOn),
  };
}

/** All that the commands lead to, one after the other. */
function history(...commands: Command[]): ReportingLinesEvent[] {
  const events: ReportingLinesEvent[] = [];
  for (const command of commands) {
    events.push(...reportingLinesDecider.decide(command, foldEvents(reportingLinesDecider, events)));
  }
  return events;
}
const treeAfter = (...commands: Command[]): ReportingTree => foldEvents(reportingLinesDecider, history(...commands));
const managerAfter = (person: string, ...commands: Command[]) => lineOf(treeAfter(...commands), person).manager;

describe('reporting lines', () => {
  it('follow what the HRIS says', () => {
    const hired = claim('2026-01-01', bob);
    given(reportingLinesDecider).when(place(ann, hired)).then(changed(ann, hired));
  });

  it('take a fact that comes late as of its day, and say again what it does not change', () => {
    const [first, late, last] = [claim('2026-01-01', bob), claim('2026-02-01', cyn), claim('2026-03-01', dan)];
    given(reportingLinesDecider, history(place(ann, first, last)))
      .when(place(ann, first, late, last))
      .then(changed(ann, late), changed(ann, last));
  });

  it('go on where a fact that was known falls away', () => {
    const [first, wrong] = [claim('2026-01-01', bob), claim('2026-02-01', cyn)];
    given(reportingLinesDecider, history(place(ann, first, wrong)))
      .when(place(ann, first))
      .then(changed(ann, first, bob, '2026-02-01'));
  });

  it('of a manager who leaves go to the next one up, all at once, until the HRIS says otherwise', () => {
    const before = history(
      place(cyn, claim('2026-01-01', bob)),
      place(ann, claim('2026-01-01', cyn)),
      place(dan, claim('2026-01-01', cyn)),
    );
    const left: ReportingLinesEvent = { type: 'ReportingLineLeft', data: { person: cyn, cause: 'cyn left', effectiveOn: '2026-06-01' } };
    const reason = { kind: 'manager-left', former: cyn, cause: 'cyn left' } as const;
    const moved: ReportingLinesEvent = {
      type: 'ReportingLineChanged',
      data: { people: [ann, dan], manager: bob, reason, effectiveOn: '2026-06-01' },
    };
    given(reportingLinesDecider, before).when(leave(cyn)).then(left, moved);
    const otherwise = claim('2026-07-01', dan);
    given(reportingLinesDecider, [...before, left, moved])
      .when(place(ann, claim('2026-01-01', cyn), otherwise))
      .then(changed(ann, otherwise));
  }); // prettier-ignore

  it('to a manager who has left already go to the next one up, from the day of the departure on', () => {
    const late = claim('2026-02-01', cyn);
    given(reportingLinesDecider, history(place(cyn, claim('2026-01-01', bob)), leave(cyn, '2026-03-01')))
      .when(place(ann, late))
      .then(changed(ann, late), changed(ann, late, bob, '2026-03-01'));
  });

  it('lead to whoever came back', () => {
    const gone = history(place(cyn, claim('2026-01-01', bob)), leave(cyn));
    expect(reportingLinesDecider.decide(rejoin(cyn), foldEvents(reportingLinesDecider, gone))).toHaveLength(1);
    const again = claim('2026-07-01', cyn);
    given(reportingLinesDecider, [...gone, ...history(place(cyn), leave(cyn), rejoin(cyn)).slice(-1)])
      .when(place(ann, again))
      .then(changed(ann, again));
  });

  it('never close a circle: the newest claim in it is refused, with the path, and the person stays where they were', () => {
    const [old, fresh] = [claim('2026-01-01', dan), claim('2026-03-01', ann)];
    given(reportingLinesDecider, history(place(ann, claim('2026-02-01', bob)), place(bob, claim('2026-01-01', cyn)), place(cyn, old)))
      .when(place(cyn, old, fresh))
      .then({
        type: 'ReportingLineRefused',
        data: { person: cyn, claimed: ann, path: [ann, bob, cyn], claims: [old, fresh], cause: fresh.cause, effectiveOn: '2026-03-01' },
        at: since('2026-03-01'),
      });
  }); // prettier-ignore

  it('refuse the same claim when the older one of a circle arrives last', () => {
    const [annToBob, bobToAnn] = [place(ann, claim('2026-01-01', bob)), place(bob, claim('2026-02-01', ann))];
    for (const order of [[annToBob, bobToAnn], [bobToAnn, annToBob]]) {
      expect([ann, bob].map((person) => managerAfter(person, ...order))).toEqual([bob, null]);
    }
  }); // prettier-ignore

  it('take up what was refused as soon as it closes no circle any more', () => {
    const circle = [place(ann, claim('2026-01-01', bob)), place(bob, claim('2026-02-01', ann))];
    const opened = place(ann, claim('2026-01-01', bob), claim('2026-03-01', cyn));
    expect([ann, bob].map((person) => managerAfter(person, ...circle, opened))).toEqual([cyn, ann]);
  });

  const people = [ann, bob, cyn, dan, 'eve', 'fay'];
  const person = fc.constantFrom(...people);
  const claims = fc
    .uniqueArray(fc.record({ day: fc.integer({ min: 1, max: 28 }), manager: fc.option(person) }), {
      selector: ({ day }) => day,
      minLength: 1,
      maxLength: 3,
    })
    .map((list) =>
      list
        .sort((a, b) => a.day - b.day)
        .filter(({ manager }, index, all) => index === 0 || all[index - 1]!.manager !== manager)
        .map(({ day, manager }) => claim(`2026-01-${String(day).padStart(2, '0')}`, manager)),
    );
  const notOwn = (who: string, said: readonly Claim[]) => said.every(({ manager }) => manager !== who);
  const placing = fc.tuple(person, claims).filter(([who, said]) => notOwn(who, said)).map(([who, said]) => place(who, ...said)); // prettier-ignore
  const command = fc.oneof(placing, person.map((who) => leave(who)), person.map(rejoin)); // prettier-ignore

  it('hold no circle and count reports right, whatever is said in whatever order; and nothing follows from saying it twice', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const events: ReportingLinesEvent[] = [];
        const seen = commands.map((each) => {
          events.push(...reportingLinesDecider.decide(each, foldEvents(reportingLinesDecider, events)));
          const tree = foldEvents(reportingLinesDecider, events);
          const again = reportingLinesDecider.decide(each, tree);
          const inCircle = people.filter((one) => pathUp(tree, lineOf(tree, one).manager, one) !== undefined);
          const managers = people.map((one) => lineOf(tree, one).manager);
          const counted = people.map((one) => managers.filter((manager) => manager === one).length);
          return { each, again, inCircle, reports: people.map((one) => lineOf(tree, one).reports), counted };
        });
        expect(seen).toEqual(
          seen.map(({ each, counted }) => ({ each, again: [], inCircle: [], reports: counted, counted })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('end the same for the same claims in any order, but for where the refused stay', () => {
    const last = fc.uniqueArray(placing, { selector: ({ data }) => data.person, maxLength: 6 });
    fc.assert(
      fc.property(last.chain((commands) => fc.tuple(fc.constant(commands), fc.shuffledSubarray(commands, { minLength: commands.length }))), ([commands, shuffled]) => {
        const [one, other] = [treeAfter(...commands), treeAfter(...shuffled)];
        expect(other.refused).toEqual(one.refused);
        const accepted = people.filter((each) => !one.refused.includes(each));
        const managersIn = (tree: ReportingTree) => accepted.map((who) => [who, lineOf(tree, who).manager]);
        expect(managersIn(other)).toEqual(managersIn(one));
      }),
      { numRuns: 500 },
    ); // prettier-ignore
  });
});

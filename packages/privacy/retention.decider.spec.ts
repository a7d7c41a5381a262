import { given } from '../eventsourcing/testing';
import { retentionDecider } from './retention.decider';
import type { RetentionEvent } from './retention.events';

const at = '2026-03-01T10:00:00.000Z';
const said = { category: 'enrollment', reason: 'policy', by: 'carol' } as const;
const rule = { ...said, keepFor: 'P6Y', from: 'departure' } as const;
const ruled: RetentionEvent = { type: 'RetentionRuleSet', data: { ...rule, version: 1 } };
const withdrawn: RetentionEvent = { type: 'RetentionRuleWithdrawn', data: { ...said, version: 1 } };
const set = { type: 'SetRetentionRule', at, data: rule } as const;
const withdraw = { type: 'WithdrawRetentionRule', at, data: said } as const;

const history = (...events: RetentionEvent[]) => given(retentionDecider, events);

describe('A retention rule', () => {
  it('is set', () => history().when(set).then(ruled));
  it('is set once, whatever the reason', () =>
    history(ruled)
      .when({ ...set, data: { ...rule, reason: 'again' } })
      .thenNothing());
  it('gets a new version with another period or another start', () => {
    for (const change of [{ keepFor: 'P7Y' }, { from: 'last-event' }] as const) {
      history(ruled)
        .when({ ...set, data: { ...rule, ...change } })
        .then({ type: 'RetentionRuleSet', data: { ...rule, ...change, version: 2 } });
    }
  });
  it('is withdrawn, and set again', () => {
    history(ruled).when(withdraw).then(withdrawn);
    history(ruled, withdrawn)
      .when(set)
      .then({ type: 'RetentionRuleSet', data: { ...rule, version: 2 } });
  });
  it('that never was is not withdrawn', () => history().when(withdraw).thenRefused('no-retention-rule'));
});

import { parseStreamName } from '../eventsourcing';
import type { StoredEvent } from './stored-event';
import { TenantVerification, type TenantVerdict, type VerificationOptions } from './tenant-verification';

/** Checks the histories of several tenants as one pass over the log gives them. */
export class LogVerification {
  private readonly tenants = new Map<string, TenantVerification>();
  private read: { tenant: string; position: bigint } | undefined;

  /** @param expected tenants that must be there, also if the log has nothing of them any more */
  constructor(
    private readonly optionsOf: (tenant: string) => VerificationOptions,
    expected: readonly string[],
  ) {
    for (const tenant of expected) this.of(tenant);
  }

  accept(event: StoredEvent): void {
    const tenant = parseStreamName(event.stream)?.tenant;
    if (tenant === undefined) return;
    this.of(tenant).accept(event);
    this.read = { tenant, position: event.position };
  }

  /** The log cannot be read any further: what comes next can no longer be decoded. */
  unreadable(detail: string): void {
    const { tenant, position } = this.read ?? { tenant: this.tenants.keys().next().value ?? '', position: 0n };
    this.of(tenant).unreadable(position, detail);
  }

  finish(): TenantVerdict[] {
    return [...this.tenants.values()].map((tenant) => tenant.finish());
  }

  private of(tenant: string): TenantVerification {
    const known = this.tenants.get(tenant) ?? new TenantVerification(tenant, this.optionsOf(tenant));
    this.tenants.set(tenant, known);
    return known;
  }
}

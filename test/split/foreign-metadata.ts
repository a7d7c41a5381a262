/** The metadata of an event that a test or a bench appends past Attest, as Attest itself would write it but for the hash. */
export function foreignMetadata(tenant: string, id: string, occurredAt: string) {
  return {
    schema: 1,
    tenant,
    actor: { sub: 'admin', roles: ['admin'], via: 'http' },
    commandId: id,
    $correlationId: id,
    $causationId: id,
    occurredAt,
  };
}

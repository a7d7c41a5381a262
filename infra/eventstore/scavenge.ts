import { EventStoreDBClient } from '@eventstore/db-client';
import { OperationsClient } from '@eventstore/db-client/generated/operations_grpc_pb';
import { StartScavengeReq } from '@eventstore/db-client/generated/operations_pb';

/** The official client has the operation's messages, but no method for it. */
class OperationsDBClient extends EventStoreDBClient {
  scavenge(): Promise<void> {
    const options = new StartScavengeReq.Options();
    options.setThreadCount(1);
    const request = new StartScavengeReq();
    request.setOptions(options);
    return this.execute(
      OperationsClient,
      'startScavenge',
      (client) =>
        new Promise((resolve, reject) =>
          client.startScavenge(request, ...this.callArguments({}), (error) => (error ? reject(error) : resolve())),
        ),
    );
  }
}

/** Asks the server at this URL for a scavenge. @throws the gRPC error */
export async function startScavenge(url: string): Promise<void> {
  const client = EventStoreDBClient.connectionString(url);
  try {
    await OperationsDBClient.prototype.scavenge.call(client as OperationsDBClient);
  } finally {
    await client.dispose();
  }
}

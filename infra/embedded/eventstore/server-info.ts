/** What clients ask before anything else: which methods are served, and which node to talk to. */
import { frame } from './wire/frame';
import { type Method, type Services } from './wire/server';

/** The server version whose protocol and rules this engine follows. */
const VERSION = '23.10.6';

const STREAMS = 'event_store.client.streams.Streams';
const PERSISTENT = 'event_store.client.persistent_subscriptions.PersistentSubscriptions';
const LEADER = 8;

/** As a real 23.10 advertises them (`Services/Transport/Grpc/ServerFeatures.cs`), without projections. */
const FEATURES: Record<string, string[]> = {
  read: ['position', 'events'],
  batchappend: ['deadline_duration'],
};

/** GetSupportedMethods, computed from the services that are really registered. */
export function featuresMethod(services: Services): Method {
  return {
    request: (_message, call) => {
      const paths = Object.keys(services).map((path) => path.slice(1).split('/') as [string, string]);
      call.send(
        frame((resp) => {
          for (const [service, method] of paths) {
            if (service !== STREAMS && service !== PERSISTENT) continue;
            const features = service === PERSISTENT ? ['stream', 'all'] : (FEATURES[method.toLowerCase()] ?? []);
            resp.message(1, (supported) => {
              supported.string(1, method.toLowerCase()).string(2, service.toLowerCase());
              for (const feature of features) supported.string(3, feature);
            });
          }
          resp.string(2, VERSION);
        }),
      );
      call.end();
    },
  };
}

/** Gossip.Read: a cluster of one leader. */
export function gossipMethod(instanceId: string, port: number): Method {
  return {
    request: (_message, call) => {
      call.send(
        frame((cluster) =>
          cluster.message(1, (member) =>
            member
              .message(1, (id) => id.string(2, instanceId))
              .int64(2, BigInt(Date.now()) * 10_000n)
              .uint(3, LEADER)
              .bool(4, true)
              .message(5, (endpoint) => endpoint.string(1, '127.0.0.1').uint(2, port)),
          ),
        ),
      );
      call.end();
    },
  };
}

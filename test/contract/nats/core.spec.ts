import { connect, headers, type Msg } from '@nats-io/transport-node';
import { server } from './harness';

const under = server();

it('answers a request', async () => {
  const subject = under.name('echo');
  under.nats.subscribe(subject, {
    callback: (_, message) => {
      message.respond(`hello ${message.string()}`);
    },
  });
  const answer = await under.nats.request(subject, 'world', { timeout: 100_000 });
  expect(answer.string()).toBe('hello world');
});

it('carries headers and bytes both ways', async () => {
  const subject = under.name('headers');
  under.nats.subscribe(subject, {
    callback: (_, message) => {
      const back = headers();
      back.set('command-id', `${message.headers?.get('command-id')}-seen`);
      message.respond(message.data, { headers: back });
    },
  });
  const sent = headers();
  sent.set('command-id', '17');
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const answer = await under.nats.request(subject, bytes, { timeout: 100_000, headers: sent });
  expect(answer.headers?.get('command-id')).toBe('17-seen');
  expect(Buffer.from(answer.data)).toEqual(Buffer.from(bytes));
});

it('says at once that nobody listens', async () => {
  await expect(under.nats.request(under.name('nobody'), '', { timeout: 100_000 })).rejects.toThrow(/no responders/i);
});

it('gives each message of a queue group to one member, and to every group', async () => {
  const subject = under.name('work');
  const got: string[] = [];
  const take = (member: string) => (_: Error | null, message: Msg) => {
    got.push(`${member} ${message.string()}`);
  };
  const members = ['a1', 'a2', 'a3', 'b1'].map((member) =>
    under.nats.subscribe(subject, { queue: member[0]!, callback: take(member) }),
  );
  await under.nats.flush();
  for (let n = 0; n < 100; n++) under.nats.publish(subject, String(n));
  await under.nats.flush();
  const byGroup = (group: string) => got.filter((entry) => entry.startsWith(group));
  expect(new Set(byGroup('a').map((entry) => entry.split(' ')[1])).size).toBe(100);
  expect(byGroup('a')).toHaveLength(100);
  expect(byGroup('b')).toHaveLength(100);
  expect(new Set(byGroup('a').map((entry) => entry.split(' ')[0])).size).toBeGreaterThan(1);
  members.forEach((member) => member.unsubscribe());
});

it('matches subjects with * and >', async () => {
  const root = under.name('hris');
  const got: string[] = [];
  under.nats.subscribe(`${root}.*.person.>`, {
    callback: (_, message) => {
      got.push(message.subject);
    },
  });
  for (const tail of ['ou.person.hired', 'acme.person.role.changed', 'acme.course.published']) {
    under.nats.publish(`${root}.${tail}`);
  }
  await under.nats.flush();
  expect(got).toEqual([`${root}.ou.person.hired`, `${root}.acme.person.role.changed`]);
});

it('drains: what was received is handled before the connection closes', async () => {
  const subject = under.name('drain');
  const listener = await connect({ servers: under.url });
  let seen = 0;
  listener.subscribe(subject, {
    callback: () => {
      seen++;
    },
  });
  await listener.flush();
  for (let n = 0; n < 1_000; n++) under.nats.publish(subject);
  await under.nats.flush();
  await listener.drain();
  expect(seen).toBe(1_000);
});

it('takes messages of 7 MiB and refuses those above its limit', async () => {
  const subject = under.name('large');
  under.nats.subscribe(subject, {
    callback: (_, message) => {
      message.respond(String(message.data.length));
    },
  });
  const size = Math.min(7 * 1024 * 1024, (under.nats.info?.max_payload ?? 0) - 1024);
  const answer = await under.nats.request(subject, new Uint8Array(size), { timeout: 100_000 });
  expect(answer.string()).toBe(String(size));
  const tooLarge = new Uint8Array((under.nats.info?.max_payload ?? 0) + 1);
  await expect(async () => under.nats.request(subject, tooLarge, { timeout: 100_000 })).rejects.toThrow(/payload/i);
});

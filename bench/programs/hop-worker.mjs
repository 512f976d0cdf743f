// One hop on bare JetStream: takes from its subject, hands on to the next one and acknowledges then.
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const [, , servers, hop, hops, inFlight] = process.argv;
const nc = await connect({ servers });
const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
await jsm.consumers.add('HOPS', { durable_name: `hop-${hop}`, filter_subject: `hop.${hop}.*`, ack_policy: AckPolicy.Explicit });
const consumer = await js.consumers.get('HOPS', `hop-${hop}`);
await consumer.consume({ max_messages: Number(inFlight), callback: (message) => void handOn(message) });
process.stdout.write('ready\n');

async function handOn(message) {
  const id = message.subject.split('.')[2];
  const next = Number(hop) + 1;
  if (next <= Number(hops)) await js.publish(`hop.${String(next)}.${id}`, message.data, { msgID: `${id}.${String(next)}` });
  await message.ackAck();
  if (next > Number(hops)) nc.publish(`done.${id}`);
}

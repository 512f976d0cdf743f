// The least that a command which asks NATS something can be.
import { connect } from '@nats-io/transport-node';

const nc = await connect({ servers: process.env.NATS_URL });
await nc.request('$JS.API.INFO');
await nc.close();

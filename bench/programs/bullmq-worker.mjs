// One hop on BullMQ: takes from its queue, hands on to the next; the last one tells the job's id.
import { loadBullMq } from '../harness/redis.mjs';

const [, , folder, path, hop, hops, concurrency] = process.argv;
const { Queue, Worker } = loadBullMq(folder);
const connection = { path, maxRetriesPerRequest: null };
const next = Number(hop) < Number(hops) ? new Queue(`hop-${String(Number(hop) + 1)}`, { connection }) : undefined;
const worker = new Worker(
  `hop-${hop}`,
  async ({ data }) => {
    await next?.add('job', data);
    return data.id;
  },
  { connection, concurrency: Number(concurrency) },
);
await worker.waitUntilReady();
process.stdout.write('ready\n');

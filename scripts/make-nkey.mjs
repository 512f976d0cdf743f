/**
 * `node scripts/make-nkey.mjs <file>`: makes a credential for a NATS server of your own. The secret seed goes to the file (0600, never over
 * an existing one) for `NATS_NKEY_FILE`; the public key, which the server is told, to stdout.
 */
import { writeFileSync } from 'node:fs';

import { createUser } from '@nats-io/nkeys';

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node scripts/make-nkey.mjs <file for the secret seed>\n');
  process.exit(2);
}
const user = createUser();
try {
  writeFileSync(file, `${new TextDecoder().decode(user.getSeed())}\n`, { mode: 0o600, flag: 'wx' });
} catch (error) {
  process.stderr.write(error.code === 'EEXIST' ? `${file} is there already; its key may be in use.\n` : `${error.message}\n`);
  process.exit(1);
}
process.stdout.write(`${user.getPublicKey()}\n`);

import { type Probe, shell } from './probe.ts';

/** Reading what belongs to the system, to other tasks, to the operator, to the machine. */
export const SECRETS: readonly Probe[] = [
  { name: 'reads the role file', program: shell('found "$MA_HOME/run/coder.env"'), control: 'anyone' },
  { name: "reads the operator's nkey seed", program: shell('found "$MA_HOME/run/operator.seed"'), control: 'anyone' },
  { name: 'reads the NATS store', program: shell('found "$MA_HOME/nats/jetstream/blocks"'), control: 'anyone' },
  { name: 'reads a mirror of another repository', program: shell('found "$MA_HOME/mirrors/other.git/packed"'), control: 'anyone' },
  { name: 'reads the cache of another repository', program: shell('found "$MA_HOME/repositories/other.git/packed"'), control: 'anyone' },
  { name: 'reads the workspace of another task', program: shell('found "$OTHER/code"'), control: 'anyone' },
  { name: 'reads an idle tree', program: shell('found "$MA_HOME/pool/other/tree/code"'), control: 'anyone' },
  { name: 'lists the home of the system', program: shell('[ -n "$(ls "$MA_HOME/run" 2>&-)" ] && echo ESCAPED'), control: 'anyone' },
  {
    name: 'finds its way from the workspace up',
    program: shell('cd "$WORKSPACE" && found ../../../run/coder.env'),
    control: 'anyone',
  },
  {
    name: 'reads through a link',
    program: shell('ln -s "$MA_HOME/run/coder.env" to-read && found to-read'),
    control: 'anyone',
  },
  { name: "reads the operator's ssh key", program: shell('found "$OPERATOR/.ssh/id_ed25519"'), control: 'anyone' },
  { name: "reads the operator's .npmrc", program: shell('found "$OPERATOR/.npmrc"'), control: 'anyone' },
  { name: "reads the operator's .gitconfig", program: shell('found "$OPERATOR/.gitconfig"'), control: 'anyone' },
  { name: "reads the operator's cloud credentials", program: shell('found "$OPERATOR/.aws/credentials"'), control: 'anyone' },
  // Whether it could: none of these is read where it can be.
  { name: 'may read the shadow file', program: shell('[ -r /etc/shadow ] && echo ESCAPED'), control: 'root' },
  { name: 'may list private keys of TLS', program: shell('[ -r /etc/ssl/private ] && echo ESCAPED') },
  { name: 'sees the homes of others', program: shell('[ -r /root/.profile ] && echo ESCAPED'), control: 'root' },
  { name: 'sees what the machine is doing', program: shell('[ -e /run ] && echo ESCAPED'), control: 'anyone' },
  { name: "sees git's and npm's settings of the machine", program: shell('cat /etc/gitconfig /etc/npmrc 2>&- && echo ESCAPED') },
];

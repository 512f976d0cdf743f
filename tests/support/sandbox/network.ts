import { call, perl, type Probe, shell } from './probe.ts';

const [VSOCK, PACKET, CRYPTO] = [40, 17, 38];

/** Reaching anything but itself: by the network, by sockets, by what processes share. */
export const NETWORK: readonly Probe[] = [
  { name: 'connects to a service of the machine', program: shell('exec 3<>"/dev/tcp/127.0.0.1/$TCP" && echo ESCAPED'), control: 'anyone' },
  {
    name: 'sends a datagram to the machine',
    program: shell('exec 3<>"/dev/udp/127.0.0.1/$UDP" && echo hello >&3 && read -t 2 -u 3 answer && echo ESCAPED'),
    control: 'anyone',
  },
  {
    name: 'connects to a socket by its path',
    program: connecting('pack_sockaddr_un($ENV{SOCKET_PATH})'),
    control: 'anyone',
  },
  { name: 'connects to a socket without a path', program: connecting('pack_sockaddr_un("\\0$ENV{SOCKET_NAME}")'), control: 'anyone' },
  { name: 'reaches the internet', program: shell('timeout 2 bash -c "exec 3<>/dev/tcp/192.0.2.1/443" && echo ESCAPED') },
  {
    name: 'reaches the machine that has the machine',
    program: shell('timeout 2 bash -c "exec 3<>/dev/tcp/169.254.169.254/80" && echo ESCAPED'),
  },
  { name: 'looks up a name', program: shell('timeout 4 getent hosts example.org && echo ESCAPED') },
  { name: 'has an interface of the machine', program: shell('tail -n +3 /proc/net/dev | grep -v "^ *lo:" && echo ESCAPED') },
  {
    name: 'sees connections of the machine',
    program: shell('grep -qi "$(printf ":%04X" "$TCP") " /proc/net/tcp && echo ESCAPED'),
    control: 'anyone',
  },
  { name: 'sees sockets of the machine', program: shell('grep -qs "$SOCKET_NAME" /proc/net/unix && echo ESCAPED'), control: 'anyone' },
  { name: 'has a socket of the virtual machine', program: opening(`${String(VSOCK)}, 1, 0`) },
  { name: 'has a socket below IP', program: opening(`${String(PACKET)}, 3, 0`), control: 'root' },
  { name: 'has a socket of the ciphers', program: opening(`${String(CRYPTO)}, 5, 0`) },
  { name: 'has a raw socket', program: opening('2, 3, 1'), control: 'root' },
  { name: 'changes its network', program: shell('ip link set lo mtu 65536 && echo ESCAPED') },
  {
    name: 'reads shared memory',
    program: perl(
      'my $id = shmget($ENV{KEY}, 0, 0); my $read; shmread($id, $read, 0, 64) if defined $id; print "ESCAPED\\n" if $read =~ /$ENV{HEAD}$ENV{TAIL}/;',
    ),
    control: 'anyone',
  },
  { name: 'opens a queue of messages', program: perl('print "ESCAPED\\n" if defined msgget($ENV{KEY}, 0);'), control: 'anyone' },
  { name: 'opens a semaphore', program: perl('print "ESCAPED\\n" if defined semget($ENV{KEY}, 0, 0);'), control: 'anyone' },
  { name: 'reads a file of shared memory', program: shell('found "/dev/shm/$SHARED"'), control: 'anyone' },
  {
    name: 'opens a queue of messages by its name',
    program: perl(`print "ESCAPED\\n" if syscall(${call('mq_open')}, $ENV{SHARED}, 0, 0, 0) >= 0;`),
    control: 'anyone',
  },
];

function connecting(address: string): Probe['program'] {
  return perl(`use Socket; socket(my $socket, AF_UNIX, SOCK_STREAM, 0); print "ESCAPED\\n" if connect($socket, ${address});`);
}

function opening(words: string): Probe['program'] {
  return perl(`print "ESCAPED\\n" if socket(my $socket, ${words});`);
}

import { readdirSync, readFileSync } from 'node:fs';
import { call, calling, perl, type Probe, type ProbeRun, shell } from './probe.ts';

const PTRACE_SEIZE = '0x4206';
const KEYRING_OF_PROCESS = -2;
/** In Perl, `$at`: where something is in the victim's memory. */
const MAPPED = 'my $at = 4096; if (open P, "<", "/proc/$ENV{VICTIM}/maps") { $at = hex((split /-/, scalar <P>)[0]) }';

/** Looking into, or getting hold of, processes outside. */
export const PROCESSES: readonly Probe[] = [
  {
    name: 'reads the environment of a daemon',
    // All of them only where the one is not to be had.
    program: shell('found "/proc/$VICTIM/environ" || for file in /proc/[0-9]*/environ; do found "$file"; done'),
    control: 'anyone',
  },
  { name: 'reads a command line', program: shell('grep -qs "$VICTIM_WORD" "/proc/$VICTIM/cmdline" && echo ESCAPED'), control: 'anyone' },
  {
    name: 'goes through the root of another process',
    program: shell(
      'found "/proc/$VICTIM/root$MA_HOME/run/coder.env" || for root in /proc/[0-9]*/root; do found "$root$MA_HOME/run/coder.env"; done',
    ),
    control: 'root',
  },
  { name: 'goes through the root of the first process', program: shell('found "/proc/1/root$MA_HOME/run/coder.env"') },
  {
    name: 'goes through the directory of another process',
    program: shell('found "/proc/$VICTIM/cwd/secret" || for cwd in /proc/[0-9]*/cwd; do found "$cwd/secret"; done'),
    control: 'anyone',
  },
  { name: 'reads a file that another process has open', program: shell('found "/proc/$VICTIM/fd/9"'), control: 'anyone' },
  {
    name: 'has a descriptor that it did not open',
    // One that leads nowhere stands in the place of what whoever started the tests may have left open.
    program: perl(
      'my @open = map { readlink "/proc/$$/fd/$_" } 3 .. 1023; print "ESCAPED\\n" if grep { defined && !m{^/(?:proc/|dev/null$)} } @open;',
    ),
  },
  { name: 'reaches a terminal', program: shell(': 2>&- </dev/tty && echo ESCAPED') },
  { name: 'signals a process', program: shell('kill -0 "$VICTIM" && echo ESCAPED'), control: 'anyone' },
  { name: 'reads the limits of a process', program: shell('prlimit --pid "$VICTIM" >/dev/null && echo ESCAPED'), control: 'anyone' },
  { name: 'traces a process', program: calling('ptrace', `${PTRACE_SEIZE}, $ENV{VICTIM} + 0, 0, 0`), control: 'root' },
  {
    name: 'reads the memory of a process by its file',
    program: perl(
      `${MAPPED} open M, "<", "/proc/$ENV{VICTIM}/mem"; print "ESCAPED\\n" if sysseek(M, $at, 0) && sysread(M, my $read, 16) == 16;`,
    ),
    control: 'root',
  },
  {
    name: 'reads the memory of a process by a call',
    program: perl(
      `${MAPPED} my $read = "\\0" x 16; my ($mine, $theirs) = (pack("PQ", $read, 16), pack("QQ", $at, 16));
       print "ESCAPED\\n" if syscall(${call('process_vm_readv')}, $ENV{VICTIM} + 0, $mine, 1, $theirs, 1, 0) == 16;`,
    ),
    control: 'root',
  },
  {
    name: 'takes a descriptor of a process',
    program: perl(
      `my $process = syscall(${call('pidfd_open')}, $ENV{VICTIM} + 0, 0); my $fd = syscall(${call('pidfd_getfd')}, $process, 9, 0);
       print "ESCAPED\\n" if $process >= 0 && $fd >= 0;`,
    ),
    control: 'root',
  },
  {
    name: 'types into a terminal',
    program: perl(
      `use POSIX (); $SIG{HUP} = "IGNORE"; if (fork) { wait; exit } POSIX::setsid(); open my $own, "+<", "/dev/ptmx"; my $locked = pack("i", 0); ioctl($own, 0x40045431, $locked);
       my $number = pack("i", 0); ioctl($own, 0x80045430, $number); open my $other, "+<", "/dev/pts/" . unpack("i", $number);
       ioctl($other, 0x540e, 0); print "ESCAPED\\n" if ioctl($other, 0x5412, my $typed = "x");`,
    ),
    control: 'root',
  },
  {
    name: 'adds a key to the kernel',
    program: calling('add_key', `"user", "probe", "x", 1, ${String(KEYRING_OF_PROCESS)}`),
    control: 'root',
  },
  { name: "looks up the session's keys", program: calling('keyctl', '0, -3, 0, 0, 0'), control: 'root' },
  {
    name: 'outlives its run',
    program: shell(`(setsid sleep "$SURVIVOR.1" >/dev/null 2>&1 </dev/null &); sleep 0.2`),
    seenOutside: survivorSeen(1),
  },
  {
    name: 'outlives its run without its environment',
    program: shell(`(setsid env -i /bin/sleep "$SURVIVOR.2" >/dev/null 2>&1 </dev/null &); sleep 0.2`),
    control: 'anyone',
    seenOutside: survivorSeen(2),
  },
];

/** What runs `sleep` for just so long; it is ended. */
function survivorSeen(number: 1 | 2): (run: ProbeRun) => boolean {
  return ({ survivor }) => {
    const seconds = `${survivor}.${String(number)}`;
    const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && wordsOf(pid).at(-1) === seconds);
    for (const pid of left) process.kill(Number(pid), 'SIGKILL');
    return left.length > 0;
  };
}

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

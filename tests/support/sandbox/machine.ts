import { call, calling, perl, type Probe, reaching, shell } from './probe.ts';

const NEW_USER = 0x10000000;
const SIGCHLD = 17;
const LAST_LINK = '/proc/self/ns/uts';

/** Gaining a right, and calls of the kernel that no code of a repository needs. */
export const MACHINE: readonly Probe[] = [
  { name: 'is root', program: shell('[ "$(id -u)" = 0 ] && echo ESCAPED'), control: 'root' },
  { name: 'becomes root', program: perl('$< = 0; $> = 0; print "ESCAPED\\n" if $> == 0;'), control: 'root' },
  { name: 'becomes another user', program: perl('$) = $( = 60998; $< = $> = 60998; print "ESCAPED\\n" if $< == 60998;'), control: 'root' },
  { name: 'has a capability', program: shell('grep -qE "^Cap.*:.*[1-9a-f]" /proc/self/status && echo ESCAPED'), control: 'root' },
  { name: 'takes a namespace of mounts', program: shell('unshare --mount /bin/true && echo ESCAPED'), control: 'root' },
  { name: 'takes a namespace of users', program: shell('unshare --user --map-root-user /bin/true && echo ESCAPED'), control: 'root' },
  { name: 'takes a namespace of the network', program: shell('unshare --net /bin/true && echo ESCAPED'), control: 'root' },
  {
    name: 'enters the namespaces of a process',
    program: shell('nsenter --mount --target "$VICTIM" /bin/true && echo ESCAPED'),
    control: 'root',
  },
  {
    name: 'enters a namespace by its file',
    program: perl(`open N, "<", "${LAST_LINK}"; print "ESCAPED\\n" if syscall(${call('setns')}, fileno(N), 0) == 0;`),
    control: 'root',
  },
  {
    name: 'starts a process in a namespace of its own',
    program: perl(
      `my $pid = syscall(${call('clone')}, ${String(NEW_USER | SIGCHLD)}, 0, 0, 0, 0); exec "/bin/true" if $pid == 0;
       if ($pid > 0) { waitpid $pid, 0; print "ESCAPED\\n" }`,
    ),
    control: 'root',
  },
  {
    name: 'starts a process in a namespace of its own by the newer call',
    program: perl(
      `my $words = pack("Q11", ${String(NEW_USER)}, 0, 0, 0, ${String(SIGCHLD)}, 0, 0, 0, 0, 0, 0);
       my $pid = syscall(${call('clone3')}, $words, 88); exec "/bin/true" if $pid == 0;
       if ($pid > 0) { waitpid $pid, 0; print "ESCAPED\\n" }`,
    ),
    control: 'root',
  },
  { name: 'loads a program into the kernel', program: reaching('bpf', '11, pack("Q8", 0, 0, 0, 0, 0, 0, 0, 0), 64') },
  { name: 'counts events of the machine', program: calling('perf_event_open', 'pack("LLQx112", 1, 128, 0), 0, -1, -1, 0') },
  { name: 'handles its own page faults', program: calling('userfaultfd', '0') },
  { name: 'has rings of input and output', program: calling('io_uring_setup', '1, "\\0" x 120') },
  { name: 'loads a module', program: reaching('init_module', '"", 0, ""') },
  { name: 'reads the log of the kernel', program: calling('syslog', '10, 0, 0'), control: 'root' },
  { name: 'sets the name of the machine', program: shell('hostname "$(hostname)" && echo ESCAPED') },
  {
    name: 'sets the name of the machine by the call',
    program: perl(
      `use POSIX (); my $name = (POSIX::uname())[1]; print "ESCAPED\\n" if syscall(${call('sethostname')}, $name, length $name) == 0;`,
    ),
    control: 'root',
  },
  {
    // Set to what it is.
    name: 'sets the clock',
    program: perl(
      `my $clock = "\\0" x 256; syscall(${call('adjtimex')}, $clock); substr($clock, 0, 4) = pack("L", 0x4000);
       print "ESCAPED\\n" if syscall(${call('adjtimex')}, $clock) >= 0;`,
    ),
    control: 'root',
  },
  // Without the numbers that it takes, the kernel does nothing but look at the right.
  { name: 'ends the machine', program: reaching('reboot', '0, 0, 0, 0'), control: 'root' },
  { name: 'ends the use of swap', program: reaching('swapoff', '"/nowhere"'), control: 'root' },
  {
    name: 'has devices of the machine',
    program: shell('[ -e /dev/mem -o -e /dev/kmsg -o -e /dev/kvm -o -e /dev/fuse ] && echo ESCAPED'),
    control: 'root',
  },
  { name: 'has a disk', program: shell('[ -n "$(find /dev -type b -print -quit)" ] && echo ESCAPED') },
  { name: 'sees the devices of the machine', program: shell('[ -d /sys/kernel ] && echo ESCAPED'), control: 'anyone' },
  {
    name: 'sets a limit of the kernel',
    program: shell('setting=/proc/sys/fs/pipe-max-size; value=$(cat $setting); echo "$value" >$setting && echo ESCAPED'),
    control: 'root',
  },
  { name: 'may say what is run for a dump', program: shell('[ -w /proc/sys/kernel/core_pattern ] && echo ESCAPED'), control: 'root' },
  { name: 'may give the machine commands', program: shell('[ -w /proc/sysrq-trigger ] && echo ESCAPED') },
  { name: 'may leave its group', program: shell('for group in /sys/fs/cgroup/{,*/}cgroup.procs; do [ -w $group ] && echo ESCAPED; done') },
  { name: 'saves itself when memory is short', program: shell('echo -1000 >/proc/self/oom_score_adj && echo ESCAPED') },
  { name: 'raises its limits', program: shell('ulimit -Hn $(($(ulimit -Hn) + 1)) && echo ESCAPED') },
];

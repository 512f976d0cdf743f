import type { Argv } from '../../../src/shared/process/command-line.ts';

/** Something that code of a repository must not be able to do. It does no harm to the machine where it can. */
export interface Probe {
  readonly name: string;
  /** Prints `ESCAPED` where it succeeded, or leaves a file `$PROBE` in `$OUTSIDE`. It finds its targets in variables, see `Stage`. */
  readonly program: Argv;
  /** Who has to see it succeed without a sandbox: anyone, or root with all its capabilities. Without it, it is not tried there. */
  readonly control?: 'anyone' | 'root';
  /** Whether it succeeded, where that is seen from outside only. Leaves nothing of it. */
  readonly seenOutside?: (run: ProbeRun) => boolean;
}

/** What a probe's run was given. */
export interface ProbeRun {
  readonly workspace: string;
  /** See `Stage`. */
  readonly survivor: string;
}

/** With `found`: whether one of these files holds the secret. */
export function shell(text: string): Argv {
  return ['/bin/bash', '-c', `found() { grep -qs -- "$HEAD$TAIL" "$@" && echo ESCAPED; }\n${text}`];
}

/** Which a Debian machine always has, and which makes any system call. */
export function perl(text: string): Argv {
  return ['/usr/bin/perl', '-e', text];
}

/** A call that succeeds. */
export function calling(name: CallName, words: string): Argv {
  return perl(`my @words = (${words}); print "ESCAPED\n" if syscall(${call(name)}, @words) >= 0;`);
}

/** A call that can't succeed with these words, but gets as far as to be told so by the kernel: to be without the right is EPERM. */
export function reaching(name: CallName, words: string): Argv {
  return perl(
    `my @words = (${words}); my $answer = syscall(${call(name)}, @words);
     print "ESCAPED\n" if $answer >= 0 || ($! != ${String(EPERM)} && $! != ${String(ENOSYS)});`,
  );
}

/** The number of a system call, for a program in Perl. */
export function call(name: CallName): string {
  return String(CALLS[name][process.arch === 'arm64' ? 1 : 0]);
}

/** Names the file that a probe leaves outside. */
export function traceOf({ name }: Probe): string {
  return name.replaceAll(/[^a-z0-9]+/gi, '-');
}

const EPERM = 1;
const ENOSYS = 38;

/** On x64, and on arm64. */
const CALLS = {
  add_key: [248, 217],
  adjtimex: [159, 171],
  bpf: [321, 280],
  clone: [56, 220],
  clone3: [435, 435],
  fsopen: [430, 430],
  init_module: [175, 105],
  io_uring_setup: [425, 425],
  keyctl: [250, 219],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  reboot: [169, 142],
  sethostname: [170, 161],
  setns: [308, 268],
  setxattr: [188, 5],
  swapoff: [168, 225],
  syslog: [103, 116],
  userfaultfd: [323, 282],
} as const satisfies Readonly<Record<string, readonly [x64: number, arm64: number]>>;

type CallName = keyof typeof CALLS;

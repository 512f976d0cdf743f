/** What a system call is known by on an architecture, as the kernel's headers number it. */
interface Architecture {
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly audit: number;
  /** Calls from this number on belong to another calling convention (x32), and none of them is let through. */
  readonly foreignFrom?: number;
  readonly calls: Readonly<Record<string, number>>;
}

/**
 * Calls that code of a repository has no business with: mounts and namespaces, keys of the kernel, modules, clocks, other processes' memory
 * from outside, handles of files by number. Each needs a privilege that the sandbox does not have, or has been a way out of one.
 */
const X64: Architecture['calls'] = {
  syslog: 103,
  modify_ldt: 154,
  pivot_root: 155,
  _sysctl: 156,
  adjtimex: 159,
  chroot: 161,
  acct: 163,
  settimeofday: 164,
  mount: 165,
  umount2: 166,
  swapon: 167,
  swapoff: 168,
  reboot: 169,
  sethostname: 170,
  setdomainname: 171,
  iopl: 172,
  ioperm: 173,
  init_module: 175,
  delete_module: 176,
  quotactl: 179,
  nfsservctl: 180,
  lookup_dcookie: 212,
  clock_settime: 227,
  kexec_load: 246,
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  migrate_pages: 256,
  unshare: 272,
  move_pages: 279,
  perf_event_open: 298,
  fanotify_init: 300,
  name_to_handle_at: 303,
  open_by_handle_at: 304,
  clock_adjtime: 305,
  setns: 308,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  finit_module: 313,
  kexec_file_load: 320,
  bpf: 321,
  userfaultfd: 323,
};

const ARM64: Architecture['calls'] = {
  lookup_dcookie: 18,
  umount2: 39,
  mount: 40,
  pivot_root: 41,
  nfsservctl: 42,
  chroot: 51,
  quotactl: 60,
  acct: 89,
  unshare: 97,
  kexec_load: 104,
  init_module: 105,
  delete_module: 106,
  clock_settime: 112,
  syslog: 116,
  reboot: 142,
  sethostname: 161,
  setdomainname: 162,
  settimeofday: 170,
  adjtimex: 171,
  add_key: 217,
  request_key: 218,
  keyctl: 219,
  swapon: 224,
  swapoff: 225,
  migrate_pages: 238,
  move_pages: 239,
  perf_event_open: 241,
  fanotify_init: 262,
  name_to_handle_at: 264,
  open_by_handle_at: 265,
  clock_adjtime: 266,
  setns: 268,
  process_vm_readv: 270,
  process_vm_writev: 271,
  kcmp: 272,
  finit_module: 273,
  bpf: 280,
  userfaultfd: 282,
  kexec_file_load: 294,
};

/** The same on every architecture (from 424 on, the kernel numbers them alike). */
const COMMON: Architecture['calls'] = {
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  pidfd_getfd: 438,
  process_madvise: 440,
  mount_setattr: 442,
  quotactl_fd: 443,
};

/** Answered with "no such call", upon which programs take the older way that the filter can look into, or do without. */
const UNKNOWN: Architecture['calls'] = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, clone3: 435 };

interface Inspected {
  readonly clone: number;
  readonly socket: number;
  readonly ioctl: number;
}

const ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, Architecture & { readonly inspected: Inspected }>>> = {
  x64: { audit: 0xc000003e, foreignFrom: 0x40000000, calls: X64, inspected: { clone: 56, socket: 41, ioctl: 16 } },
  arm64: { audit: 0xc00000b7, calls: ARM64, inspected: { clone: 220, socket: 198, ioctl: 29 } },
};

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** `CLONE_NEW*` of linux/sched.h, but for `CLONE_NEWTIME`, which `clone` does not take. */
const NEW_NAMESPACE = 0x7e020000;
/** Puts characters into a terminal's input, as if they had been typed. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
/** Unix, IPv4, IPv6 and netlink. What is no part of a network namespace (vsock reaches the host of a virtual machine) is not among them. */
const FAMILIES = [1, 2, 10, 16];

// Offsets in `struct seccomp_data`; of an argument the lower half, on a little-endian machine.
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A filter of system calls as `bwrap --seccomp` takes it: a program of classic BPF (linux/filter.h, seccomp(2)), each instruction 8 bytes.
 *
 * @returns undefined for an architecture whose calls are not known here
 */
export function seccompFilter(architecture: NodeJS.Architecture = process.arch): Uint8Array | undefined {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) return undefined;
  const { clone, socket, ioctl } = known.inspected;
  return assembled([
    [LOAD, 0, 0, ARCHITECTURE],
    [IF_EQUAL, 1, 0, known.audit],
    refuse(ENOSYS),
    [LOAD, 0, 0, NUMBER],
    ...(known.foreignFrom === undefined ? [] : when(IF_AT_LEAST, known.foreignFrom, refuse(ENOSYS))),
    ...Object.values(UNKNOWN).flatMap((call) => when(IF_EQUAL, call, refuse(ENOSYS))),
    ...[...Object.values(known.calls), ...Object.values(COMMON)].flatMap((call) => when(IF_EQUAL, call, refuse(EPERM))),
    ...inCall(clone, [[LOAD, 0, 0, FIRST_ARGUMENT], ...when(IF_ANY_BIT, NEW_NAMESPACE, refuse(EPERM))]),
    ...inCall(ioctl, [
      [LOAD, 0, 0, SECOND_ARGUMENT],
      ...when(IF_EQUAL, TIOCSTI, refuse(EPERM)),
      ...when(IF_EQUAL, TIOCLINUX, refuse(EPERM)),
    ]),
    ...inCall(socket, [
      [LOAD, 0, 0, FIRST_ARGUMENT],
      ...FAMILIES.flatMap((family) => when(IF_EQUAL, family, allow())),
      refuse(EAFNOSUPPORT),
    ]),
    allow(),
  ]);
}

/** What is looked at more closely in one call; where it comes to no end, the call is let through. */
function inCall(call: number, instructions: readonly Instruction[]): Instruction[] {
  return [[IF_EQUAL, 0, instructions.length + 1, call], ...instructions, allow()];
}

function when(test: number, value: number, then: Instruction): Instruction[] {
  return [[test, 0, 1, value], then];
}

function refuse(errno: number): Instruction {
  return [RETURN, 0, 0, ERRNO | errno];
}

function allow(): Instruction {
  return [RETURN, 0, 0, ALLOW];
}

function assembled(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}

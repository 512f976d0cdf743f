import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { call, calling, perl, type Probe, reaching, shell } from './probe.ts';

const SETUID_SHELL = 'setuid-shell';
/** `vfs_cap_data` of linux/capability.h: CAP_NET_RAW, permitted and effective. */
const CAPABILITY = 'pack("V5", 0x02000001, 1 << 13, 0, 0, 0)';

/** Writing anywhere else, and gaining a right by a file. */
export const FILES: readonly Probe[] = [
  { name: 'writes outside', program: shell('touch "$OUTSIDE/$PROBE"'), control: 'anyone' },
  { name: 'writes outside from the workspace up', program: shell('touch ../../../../outside/"$PROBE"'), control: 'anyone' },
  { name: 'writes through a link', program: shell('ln -s "$OUTSIDE" out && touch "out/$PROBE"'), control: 'anyone' },
  { name: 'changes the workspace of another task', program: shell('echo x >> "$OTHER/code" && echo ESCAPED'), control: 'anyone' },
  { name: 'links a file from outside', program: shell('ln "$OUTSIDE/secret" linked && found linked'), control: 'anyone' },
  { name: 'moves a file out', program: shell('touch moved && mv moved "$OUTSIDE/$PROBE"'), control: 'anyone' },
  { name: 'may write the objects that it is shown', program: shell('echo x >> "$OBJECTS/pack" && echo ESCAPED'), control: 'anyone' },
  { name: 'may write the programs of the machine', program: shell('[ -w /usr/bin ] && echo ESCAPED'), control: 'root' },
  { name: 'may write the settings of the machine', program: shell('[ -w /etc/passwd ] && echo ESCAPED'), control: 'root' },
  { name: 'may plan jobs of the machine', program: shell('[ -w /etc/cron.d ] || [ -w /var/spool ] && echo ESCAPED'), control: 'root' },
  {
    name: 'leaves a program that makes whoever runs it root',
    program: shell(`cp /bin/true ${SETUID_SHELL} && chmod 4755 ${SETUID_SHELL}`),
    control: 'root',
    seenOutside: ({ workspace }) => isSetuidOfRoot(join(workspace, SETUID_SHELL)),
  },
  {
    name: 'gives a file a capability',
    program: perl(
      `open F, ">capable"; my @words = ("capable", "security.capability", ${CAPABILITY}, 20, 0);
       print "ESCAPED\\n" if syscall(${call('setxattr')}, @words) == 0;`,
    ),
    control: 'root',
  },
  { name: 'gains a right by a file', program: shell('grep -q "NoNewPrivs:.0" /proc/self/status && echo ESCAPED'), control: 'anyone' },
  { name: 'makes a device', program: shell('mknod "$SCRATCH/loop" b 7 0 && rm "$SCRATCH/loop" && echo ESCAPED'), control: 'root' },
  { name: 'binds a folder', program: mounting('--bind "$OUTSIDE"'), control: 'root' },
  { name: 'mounts a tmpfs', program: mounting('-t tmpfs none'), control: 'root' },
  { name: 'mounts proc', program: mounting('-t proc none'), control: 'root' },
  { name: 'mounts sysfs', program: mounting('-t sysfs none'), control: 'root' },
  { name: 'mounts an overlay', program: mounting('-t overlay none -o lowerdir=/etc:/usr') },
  { name: 'mounts the disk', program: mounting('-o ro "$(findmnt -no SOURCE / 2>&-)"') },
  { name: 'makes the system writable', program: shell('mount -o remount,bind,rw /usr && [ -w /usr ] && echo ESCAPED') },
  { name: 'opens a file system', program: calling('fsopen', '"tmpfs", 0'), control: 'root' },
  { name: 'takes a copy of the tree of mounts', program: calling('open_tree', '-100, "/", 1'), control: 'root' },
  { name: 'changes its root', program: shell('chroot / /bin/true && echo ESCAPED'), control: 'root' },
  { name: 'swaps its root', program: reaching('pivot_root', '"/nowhere", "/nowhere"'), control: 'root' },
  {
    name: 'opens a file by its number',
    program: perl(
      `open D, "<", $ENV{WORKSPACE}; my $fd = syscall(${call('open_by_handle_at')}, fileno(D), pack("H*", $ENV{HANDLE}), 0);
       if ($fd >= 0 && open F, "<&=", $fd) { print "ESCAPED\\n" if <F> =~ /$ENV{HEAD}$ENV{TAIL}/ }`,
    ),
    control: 'root',
  },
  {
    name: 'asks for the number of a file',
    program: calling('name_to_handle_at', '-100, "/usr", pack("LlA128", 128), pack("l", 0), 0'),
    control: 'anyone',
  },
];

function mounting(words: string): Probe['program'] {
  return shell(`mkdir mounted && mount ${words} mounted && umount mounted && echo ESCAPED; rmdir mounted`);
}

function isSetuidOfRoot(file: string): boolean {
  return existsSync(file) && statSync(file).uid === 0 && (statSync(file).mode & 0o4000) !== 0;
}

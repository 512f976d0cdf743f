import type { SandboxLimits } from '../../../src/shared/process/sandbox/bubblewrap.ts';
import { perl, type Probe, shell } from './probe.ts';

const MB = 1024 ** 2;

/** Small ones, which each of the probes passes where it can. */
export const SMALL_LIMITS: SandboxLimits = { processes: 60, fileBytes: 8 * MB, cpuSeconds: 1, memoryFileBytes: 8 * MB, openFiles: 64 };

/** Taking more than a share. Never to be run but in a sandbox: what tells that they work are its larger limits. */
export const EXHAUSTION: readonly Probe[] = [
  {
    name: 'starts more and more processes',
    program: perl(
      'my $made = 0; while ($made < 150) { my $pid = fork; last unless defined $pid; if ($pid == 0) { sleep 60; exit } $made++ } print "ESCAPED\\n" if $made == 150;',
    ),
  },
  { name: 'fills the temporary folder', program: filling('/tmp') },
  { name: 'fills the home', program: filling('"$HOME"') },
  { name: 'fills shared memory', program: filling('/dev/shm') },
  { name: 'writes a file without an end', program: shell('head -c 16M /dev/zero >large && echo ESCAPED') },
  { name: 'makes a file larger than it may be', program: shell('truncate --size 16M sparse && echo ESCAPED') },
  {
    name: 'opens more and more files',
    program: perl(
      'my @open; while (@open < 100 && open my $file, "<", "/dev/null") { push @open, $file } print "ESCAPED\\n" if @open == 100;',
    ),
  },
  { name: 'computes without an end', program: perl('1 while (times)[0] < 1.8; print "ESCAPED\\n";') },
];

/** What no limit of a sandbox gives way to. */
export const NEVER: readonly Probe[] = [
  {
    name: 'leaves a dump of its memory',
    program: shell('[ "$(ulimit -Hc)" != 0 ] && echo ESCAPED; sh -c "kill -SEGV \\$\\$"; ls core* && echo ESCAPED'),
  },
  { name: 'fills the folder of devices', program: filling('/dev') },
  { name: 'fills the root', program: filling('') },
];

function filling(folder: string): Probe['program'] {
  return shell(`for part in 1 2 3 4; do head -c 4M /dev/zero >${folder}/$part || exit; done; echo ESCAPED`);
}

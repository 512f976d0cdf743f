/** What one run measured, for each job or each agent. */
export interface Measured {
  /** Processor seconds of a job, by role; git and the checks among them, a real runner's own work not. */
  readonly cpuSecondsPerJob: Readonly<Record<string, number>>;
  /** Memory of one process of a role. */
  readonly rssBytes: Readonly<Record<string, number>>;
  readonly messagesPerJob: number;
  readonly bytesPerJob: number;
  /** Messages that an agent without work has pass through the server, a second. */
  readonly messagesPerIdleAgentSecond: number;
  /** Processor seconds a second that an agent needs for being there: its beats, asking for tasks, and what that costs NATS. */
  readonly cpuOfIdleAgent: number;
  readonly natsBytesPerJob: number;
  readonly homeBytesPerJob: number;
}

/** What is assumed of the work itself; everything else is measured. */
export interface Assumed {
  /** How long a coder's runner, and a reviewer's, work on a round. */
  readonly coderMinutes: number;
  readonly reviewerMinutes: number;
  readonly roundsPerJob: number;
  /** The share of its time that an agent, or a processor, may be busy. */
  readonly busyShare: number;
}

export const ASSUMED: Assumed = { coderMinutes: 10, reviewerMinutes: 3, roundsPerJob: 1.5, busyShare: 0.7 };

export interface Estimate {
  readonly jobsPerDay: number;
  readonly coders: number;
  readonly reviewers: number;
  /** Processors for the daemons and NATS; what the runners themselves need is not in it. */
  readonly cores: number;
  readonly agentsMemoryBytes: number;
  readonly messagesPerSecond: number;
  readonly natsDiskBytesPer30Days: number;
  readonly homeDiskBytesPer30Days: number;
}

const MINUTES_PER_DAY = 1_440;
const SECONDS_PER_DAY = 86_400;

/** What so many jobs a day need. Pure arithmetic on what was measured. */
export function estimate(measured: Measured, jobsPerDay: number, assumed: Assumed = ASSUMED): Estimate {
  const { coderMinutes, reviewerMinutes, roundsPerJob, busyShare } = assumed;
  const agentsFor = (minutes: number): number =>
    Math.max(1, Math.ceil((jobsPerDay * roundsPerJob * minutes) / (MINUTES_PER_DAY * busyShare)));
  const [coders, reviewers] = [agentsFor(coderMinutes), agentsFor(reviewerMinutes)];
  const cpuSeconds = Object.values(measured.cpuSecondsPerJob).reduce((sum, seconds) => sum + seconds, 0) * roundsPerJob;
  const rss = (role: string): number => measured.rssBytes[role] ?? 0;
  const jobsPerSecond = jobsPerDay / SECONDS_PER_DAY;
  return {
    jobsPerDay,
    coders,
    reviewers,
    cores: (cpuSeconds * jobsPerSecond + (coders + reviewers) * measured.cpuOfIdleAgent) / busyShare,
    agentsMemoryBytes: coders * rss('coder') + reviewers * rss('reviewer'),
    messagesPerSecond:
      measured.messagesPerJob * roundsPerJob * jobsPerSecond + (coders + reviewers) * (1 - busyShare) * measured.messagesPerIdleAgentSecond,
    natsDiskBytesPer30Days: measured.natsBytesPerJob * jobsPerDay * 30,
    homeDiskBytesPer30Days: measured.homeBytesPerJob * jobsPerDay * 30,
  };
}

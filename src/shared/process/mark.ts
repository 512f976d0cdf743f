import { type ProcessEntry, readVariables } from './process-table.ts';
import type { Environment } from './environment.ts';

/** What every process of a run carries in its environment, so that it is found again wherever it went. */
export interface Mark {
  /** `<agentId>:<attempt>`, as `MULTI_AGENT_RUN`. */
  readonly run: string;
  /** Names the one run among all that ever were, as `MULTI_AGENT_RUN_ID`. */
  readonly runId: string;
  /**
   * Names the installation (its home directory), as `MULTI_AGENT_SYSTEM`. Two on one host both have a `coder-1`, and
   * must not end each other's processes.
   */
  readonly system?: string | undefined;
}

const RUN = 'MULTI_AGENT_RUN';
const RUN_ID = 'MULTI_AGENT_RUN_ID';
const SYSTEM = 'MULTI_AGENT_SYSTEM';

export function markVariables(mark: Mark): Environment {
  return { [RUN]: mark.run, [RUN_ID]: mark.runId, ...(mark.system === undefined ? {} : { [SYSTEM]: mark.system }) };
}

/** Whether the process belongs to the run: it carries exactly its mark, and no other run's id. */
export function carriesMark(entry: ProcessEntry, mark: Mark): boolean {
  const variables = readVariables(entry.pid, [RUN, RUN_ID]);
  return variables.get(RUN) === mark.run && (variables.get(RUN_ID) ?? mark.runId) === mark.runId;
}

/** Whether the process carries a mark that starts with `prefix`, and the installation's name where one is given. */
export function carriesPrefix(entry: ProcessEntry, prefix: string, system: string | undefined): boolean {
  const variables = readVariables(entry.pid, [RUN, SYSTEM]);
  const isOfSystem = system === undefined || variables.get(SYSTEM) === system;
  return isOfSystem && variables.get(RUN)?.startsWith(prefix) === true;
}

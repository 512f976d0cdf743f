import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { BranchName, DEFAULT_WORKFLOW, Feature, MergePolicy, type Repository, Workflow } from '../../shared/domain/feature.ts';
import { jobIdOfKey } from '../../shared/domain/ids.ts';
import { PRIORITIES, Priority } from '../../shared/domain/priority.ts';
import { versioned } from '../../shared/messages/envelope.ts';
import { FeatureRequest } from '../../shared/messages/feature-request.ts';
import { parseDuration } from './duration.ts';
import { createFaults, type Faults } from './faults.ts';
import { parseRepository, type RepositoryPlace } from './repository.ts';
import { textOrFile } from './text-or-file.ts';

/** The options as they were typed. What must be there is checked here, so that it is named together with the other faults. */
export interface Submission {
  readonly repo?: string;
  readonly title?: string;
  readonly description?: string;
  readonly requirement?: readonly string[];
  readonly requirements?: string;
  readonly acceptance?: readonly string[];
  readonly branch?: string;
  readonly priority?: string;
  readonly merge?: string;
  readonly maxRounds?: string;
  readonly maxCost?: string;
  readonly timeout?: string;
  readonly key?: string;
}

/**
 * The FeatureRequest that a command line asks for.
 *
 * @param firstJob `start-project`: `requirements` is the whole text (or `@file`), its first line the title
 * @throws InvalidInputError naming every fault at once
 */
export async function parseSubmission(
  typed: Submission,
  place: RepositoryPlace & { readonly now: number; readonly firstJob: boolean },
): Promise<FeatureRequest> {
  const faults = createFaults();
  const repository = await repositoryOf(typed, place, faults);
  const feature = place.firstJob ? await projectOf(typed, place.cwd, faults) : await featureOf(typed, place.cwd, faults);
  const priority = typed.priority === undefined ? 'normal' : oneOf(faults, '--priority', Priority, PRIORITIES, typed.priority);
  const workflow = workflowOf(typed, faults);
  const branch = typed.branch === undefined ? undefined : faults.check('--branch', BranchName, typed.branch);
  const key = typed.key === undefined ? undefined : faults.check('--key', FeatureRequest.shape.key, typed.key);
  faults.throwIfAny();
  return FeatureRequest.parse(
    versioned({
      traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
      type: 'FeatureRequest',
      jobId: key === undefined || !repository ? `job-${ulid(place.now)}` : jobIdOfKey(repository.url, key),
      key,
      priority,
      repository,
      branch,
      feature,
      workflow,
      submittedAt: place.now,
    }),
  );
}

async function repositoryOf({ repo }: Submission, place: RepositoryPlace, faults: Faults): Promise<Repository | undefined> {
  if (repo !== undefined) return parseRepository(repo, place, faults);
  missing(faults, '--repo');
  return undefined;
}

async function featureOf(typed: Submission, cwd: string, faults: Faults): Promise<Feature | undefined> {
  const title = typed.title ?? missing(faults, '--title');
  const description =
    typed.description === undefined ? missing(faults, '--description') : await textOrFile('--description', typed.description, cwd, faults);
  const listed = (typed.requirements ?? '').split(',').filter((requirement) => requirement.trim() !== '');
  const { title: titleSchema, description: descriptionSchema, requirements, acceptanceCriteria } = Feature.shape;
  const checked = {
    title: title === undefined ? undefined : faults.check('--title', titleSchema, title),
    description: description === undefined ? undefined : faults.check('--description', descriptionSchema, description),
    requirements: faults.check('--requirement', requirements, [...(typed.requirement ?? []), ...listed]),
    acceptanceCriteria: faults.check('--acceptance', acceptanceCriteria, typed.acceptance ?? []),
  };
  return Feature.safeParse(checked).data;
}

/** A first job: the text says it all. */
async function projectOf(typed: Submission, cwd: string, faults: Faults): Promise<Feature | undefined> {
  const text =
    typed.requirements === undefined
      ? missing(faults, '--requirements')
      : await textOrFile('--requirements', typed.requirements, cwd, faults);
  if (text === undefined) return undefined;
  const title = titleOf(text);
  if (title === '') faults.add('invalid_input', '--requirements: there is no text in it');
  const description = faults.check('--requirements', Feature.shape.description, text);
  return Feature.safeParse({ title, description, requirements: [], acceptanceCriteria: [] }).data;
}

const TITLE_CHARACTERS = 200;

/** The first line that says something, without the marks of a heading. */
function titleOf(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^\s*#+\s*/, '').trim());
  return (lines.find((line) => line !== '') ?? '').slice(0, TITLE_CHARACTERS).trim();
}

function workflowOf(typed: Submission, faults: Faults): Workflow {
  const { maxRounds, maxCostUsd } = Workflow.shape;
  const merge = typed.merge === undefined ? undefined : oneOf(faults, '--merge', MergePolicy, MergePolicy.options, typed.merge);
  const rounds = typed.maxRounds === undefined ? undefined : faults.check('--max-rounds', maxRounds, numberOf(typed.maxRounds));
  const cost = typed.maxCost === undefined ? undefined : faults.check('--max-cost', maxCostUsd, numberOf(typed.maxCost));
  const timeoutMs = typed.timeout === undefined ? undefined : timeoutOf(typed.timeout, faults);
  return {
    ...DEFAULT_WORKFLOW,
    ...(merge === undefined ? {} : { merge }),
    ...(rounds === undefined ? {} : { maxRounds: rounds }),
    ...(cost === undefined ? {} : { maxCostUsd: cost }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function timeoutOf(typed: string, faults: Faults): number | undefined {
  const ms = parseDuration(typed);
  if (ms !== undefined && Workflow.shape.timeoutMs.safeParse(ms).success) return ms;
  faults.add('invalid_input', `--timeout: ${JSON.stringify(typed)} is no time from 1s to 24h; write it like 90s, 30m or 2h`);
  return undefined;
}

function oneOf<T>(
  faults: Faults,
  option: string,
  schema: { safeParse(value: unknown): { success: boolean; data?: T | undefined } },
  names: readonly string[],
  typed: string,
): T | undefined {
  const { data } = schema.safeParse(typed);
  if (data === undefined) faults.add('invalid_input', `${option}: ${JSON.stringify(typed)} is none of ${names.join(', ')}`);
  return data;
}

/** What is no plain number becomes NaN, which every schema refuses. */
function numberOf(typed: string): number {
  return /^-?\d+(\.\d+)?$/.test(typed.trim()) ? Number(typed) : Number.NaN;
}

function missing(faults: Faults, option: string): string | undefined {
  faults.add('invalid_input', `${option} is missing`);
  return undefined;
}

import type { Files } from '../../support/e2e/repository.ts';
import type { Stage } from '../../support/e2e/stage.ts';
import type { TestSystem } from '../../support/e2e/system.ts';

/** What in the environment of `up` must not come out anywhere. */
export interface Canaries {
  /** A variable that is none of ours. */
  readonly stranger: string;
  /** `GITHUB_TOKEN`: the repo-manager's alone. */
  readonly forge: string;
  /** `ANTHROPIC_API_KEY`: coders and reviewers have it, and must not let it out. */
  readonly model: string;
}

/** The system that the scenarios share; asked for inside of a test only. */
export interface Shared {
  system(): TestSystem;
  readonly canaries: Canaries;
  /** A folder and a repository of the scenario's own. */
  stage(name: string, files?: Files): Stage;
}

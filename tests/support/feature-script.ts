import type { FeatureRequest } from '../../src/shared/messages/feature-request.ts';

/** A request for a local repository whose description tells `tests/support/runners/coder.mjs` what to do. */
export function scriptedRequest(repository: string, script: object | string = 'Do it.'): Pick<FeatureRequest, 'repository' | 'feature'> {
  return {
    repository: { kind: 'local', url: repository },
    feature: {
      title: 'A feature',
      description: typeof script === 'string' ? script : JSON.stringify(script),
      requirements: [],
      acceptanceCriteria: [],
    },
  };
}

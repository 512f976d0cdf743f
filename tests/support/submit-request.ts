import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { DEFAULT_WORKFLOW } from '../../src/shared/domain/feature.ts';
import { versioned } from '../../src/shared/messages/envelope.ts';
import type { FeatureRequest } from '../../src/shared/messages/feature-request.ts';
import { subjects } from '../../src/shared/messages/subjects.ts';
import { publishUntilAcknowledged } from '../../src/shared/messaging/publish.ts';

/** Has a plain request for a local repository stored, as the CLI does. */
export async function submitRequest(nc: NatsConnection, jobId: string, repository: string): Promise<void> {
  const request: FeatureRequest = versioned({
    type: 'FeatureRequest' as const,
    jobId,
    priority: 'normal' as const,
    repository: { kind: 'local' as const, url: repository },
    feature: { title: 'A feature', description: 'Do it.', requirements: [], acceptanceCriteria: [] },
    workflow: DEFAULT_WORKFLOW,
    submittedAt: Date.now(),
  });
  await publishUntilAcknowledged(jetstream(nc), subjects.request(jobId), request, { messageId: jobId, lastSubjectSequence: 0 });
}

import { runRole } from '../base/daemon.ts';
import { startTaskAgent } from '../base/task-agent.ts';
import { createReviewer } from './reviewer.ts';

await runRole('reviewer', (context) => {
  const { reviewerRunner, reviewerCommand, reviewerRecording } = context.config;
  const runner = {
    kind: reviewerRunner,
    command: reviewerCommand,
    recording: reviewerRecording,
  };
  return startTaskAgent(context, runner, createReviewer);
});

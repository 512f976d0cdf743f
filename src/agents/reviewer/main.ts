import { runRole } from '../base/daemon.ts';
import { startTaskAgent } from '../base/task-agent.ts';
import { createReviewer } from './reviewer.ts';

await runRole('reviewer', (context) => {
  const { reviewerRunner, reviewerCommand, reviewerRecording, modelEnvironment } = context.config;
  const runner = {
    kind: reviewerRunner,
    command: reviewerCommand,
    recording: reviewerRecording,
    values: modelEnvironment,
  };
  return startTaskAgent(context, runner, createReviewer);
});

import { runRole } from '../base/daemon.ts';
import { startTaskAgent } from '../base/task-agent.ts';
import { createReviewer } from './reviewer.ts';

await runRole('reviewer', (context) => {
  const { reviewerRunner, reviewerCommand, reviewerRecording, reviewerModel } = context.config;
  const runner = {
    kind: reviewerRunner,
    command: reviewerCommand,
    recording: reviewerRecording,
    model: reviewerModel,
  };
  return startTaskAgent(context, runner, createReviewer);
});

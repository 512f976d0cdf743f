import { runRole } from '../base/daemon.ts';
import { startTaskAgent } from '../base/task-agent.ts';
import { createCoder } from './coder.ts';

await runRole('coder', (context) => {
  const { coderRunner, coderCommand, coderRecording, coderModel } = context.config;
  const runner = {
    kind: coderRunner,
    command: coderCommand,
    recording: coderRecording,
    model: coderModel,
  };
  return startTaskAgent(context, runner, createCoder);
});

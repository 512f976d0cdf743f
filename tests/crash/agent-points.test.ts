import { describePoints } from '../support/crash/describe-points.ts';
import { AGENT_POINTS } from '../support/crash/points.ts';

describePoints('an agent killed at', AGENT_POINTS);

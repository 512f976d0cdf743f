import { describePoints } from '../support/crash/describe-points.ts';
import { REPO_MANAGER_POINTS } from '../support/crash/points.ts';

describePoints('a repo-manager killed at', REPO_MANAGER_POINTS);

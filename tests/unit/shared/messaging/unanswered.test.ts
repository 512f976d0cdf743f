import { describe, expect, it } from '@jest/globals';
import { JetStreamApiError } from '@nats-io/jetstream';
import { NoRespondersError, PermissionViolationError, RequestError, TimeoutError } from '@nats-io/transport-node';
import { isUnanswered } from '../../../../src/shared/messaging/unanswered.ts';

describe('isUnanswered', () => {
  it.each<[string, unknown, boolean]>([
    ['a timeout', new TimeoutError(), true],
    ['no responders', new NoRespondersError('a'), true],
    ['a request without responders', new RequestError('', { cause: new NoRespondersError('a') }), true],
    ['a lost connection', new RequestError('disconnect'), true],
    ['what lacks permission', new PermissionViolationError('no', 'publish', 'a'), false],
    ["the server's own word", new JetStreamApiError({ code: 400, err_code: 10071, description: 'wrong last sequence' }), false],
    [
      'a node without its cluster',
      new JetStreamApiError({ code: 503, err_code: 10008, description: 'JetStream system temporarily unavailable' }),
      true,
    ],
    ['a full disk', new JetStreamApiError({ code: 503, err_code: 10077, description: 'no space left on device' }), false],
    ['anything else', new TypeError('x'), false],
    ['no error at all', 'timeout', false],
  ])('judges %s', (_name, error, expected) => {
    expect(isUnanswered(error)).toBe(expected);
  });
});

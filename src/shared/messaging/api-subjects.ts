/**
 * The subjects of JetStream itself that are named here and there: calls, acknowledgements, and those below a bucket
 * (https://docs.nats.io/reference/reference-protocols/nats_api_reference, ADR-8 and ADR-20 of nats-architecture-and-design).
 */
const API = '$JS.API';

export const api = {
  all: `${API}.>`,
  accountInfo: `${API}.INFO`,
  streamCreate: (stream: string) => `${API}.STREAM.CREATE.${stream}`,
  streamUpdate: (stream: string) => `${API}.STREAM.UPDATE.${stream}`,
  streamInfo: (stream: string) => `${API}.STREAM.INFO.${stream}`,
  streamPurge: (stream: string) => `${API}.STREAM.PURGE.${stream}`,
  /** Reads one message; which one is in the payload. */
  messageGet: (stream: string) => `${API}.STREAM.MSG.GET.${stream}`,
  messageDelete: (stream: string) => `${API}.STREAM.MSG.DELETE.${stream}`,
  /** Reads one message, past the stream's leader; which one is in the payload. */
  directGet: (stream: string) => `${API}.DIRECT.GET.${stream}`,
  consumerCreate: (stream: string, rest: string) => `${API}.CONSUMER.CREATE.${stream}.${rest}`,
  durableCreate: (stream: string, consumer: string) => `${API}.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
  consumerInfo: (stream: string, consumer: string) => `${API}.CONSUMER.INFO.${stream}.${consumer}`,
  consumerDelete: (stream: string, consumer: string) => `${API}.CONSUMER.DELETE.${stream}.${consumer}`,
  pull: (stream: string, consumer: string) => `${API}.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
  acks: (stream: string, consumer: string) => `$JS.ACK.${stream}.${consumer}.>`,
} as const;

/** What every answer to a pull begins with. */
export const ACK_PREFIX = '$JS.ACK.';

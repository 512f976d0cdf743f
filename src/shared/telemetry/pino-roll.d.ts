declare module 'pino-roll' {
  import type { DestinationStream } from 'pino';

  export interface RollOptions {
    readonly file: string;
    readonly size?: string;
    readonly limit?: { readonly count: number };
    readonly mkdir?: boolean;
    readonly sync?: boolean;
    readonly mode?: number;
  }

  export default function roll(options: RollOptions): Promise<DestinationStream>;
}

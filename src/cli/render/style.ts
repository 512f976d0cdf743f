import type { CliContext, Output } from '../context.ts';

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const asIs: Paint = (text) => text;

export const plainStyle: Style = { bold: asIs, dim: asIs, red: asIs, green: asIs, yellow: asIs, cyan: asIs };

/** Colours where the output may have them; chalk is loaded only then. */
export async function styleFor(io: CliContext, output: Output): Promise<Style> {
  if (!io.colours(output)) return plainStyle;
  const { Chalk } = await import('chalk');
  return new Chalk({ level: 1 });
}

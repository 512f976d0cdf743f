import { catalogue, type CatalogueEntry } from './catalogue.ts';
import { jsonSchemaOf } from './json-schemas.ts';

/** The content of `docs/messages.md`. */
export function renderMessagesPage(): string {
  const rows = catalogue.map(row);
  const table = ['| message | stream or bucket | subject or key | written by | what it is |', '| --- | --- | --- | --- | --- |', ...rows];
  return [INTRODUCTION, ...table, '', '## Fields', '', 'A `?` marks what may be left out.', '', ...catalogue.map(fields)].join('\n');
}

function row({ name, place, subject, writer, about }: CatalogueEntry): string {
  const subjects = subject.split(', ').map((one) => `\`${one}\``);
  return `| [${name}](schemas/${name}.json) | \`${place}\` | ${subjects.join(', ')} | ${writer} | ${about} |`;
}

function fields(entry: CatalogueEntry): string {
  const { properties, required = [], oneOf } = jsonSchemaOf(entry) as ObjectSchema;
  if (!properties) return `- **${entry.name}**: one of ${String(oneOf?.length ?? 0)} forms, see its schema`;
  const names = Object.keys(properties).map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`);
  return `- **${entry.name}**: ${names.join(', ')}`;
}

/** What of a JSON Schema this page reads. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly unknown[];
}

const INTRODUCTION = `<!-- Generated from src/shared/messages/catalogue.ts by \`npm run docs:generate\`; change it there. -->

# Messages

Everything the daemons and the CLI say to each other goes through NATS as JSON. Every message carries \`v\`, its version, and may carry a W3C
\`traceparent\`. It is read strictly: an unknown field, another version or a name of the wrong form is refused, and the message is kept in the
stream \`DEAD\` with the reason.

The schemas beside this page say the same to programs. Patterns are part of them; what no JSON Schema can say (a branch name that is reserved)
is only in the code.
`;

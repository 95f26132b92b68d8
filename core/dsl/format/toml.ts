import { type Place, placeOfItem, placeOfValue, rootPlace, sortByKey } from './key-order';
import type { SourceKind } from '../source-kind';
import { type Line, parseTomlLayout, type TomlItem, type TomlSection, type TomlStatement, type TomlValue } from './toml-layout';

const lineWidth = 120;

/** TOML that compiles, in its canonical layout. Sections keep their order: it may be the order of steps. */
export function formatToml(text: string, kind: SourceKind): string {
  const { sections } = parseTomlLayout(text);
  const parts = sections.map((section, index) => sectionLines(section, rootPlace(kind), index === 0));
  const lines = parts
    .filter((part) => part.length > 0)
    .flatMap((part, index) => (index === 0 ? withoutOuterBlanks(part) : ['', ...withoutOuterBlanks(part)]));
  return `${lines.join('\n')}\n`;
}

/** The comments of TOML that compiles, as written. */
export function tomlComments(text: string): string[] {
  const ofValue = (value: TomlValue): Line[] =>
    value.kind === 'scalar'
      ? []
      : [...value.items.flatMap((item) => [...item.before, item.comment ?? '', ...ofValue(item.value)]), ...value.after];
  const ofSection = ({ header, statements, after }: TomlSection): Line[] => [
    ...(header?.before ?? []),
    header?.comment ?? '',
    ...statements.flatMap((statement) => [...statement.before, statement.comment ?? '', ...ofValue(statement.value)]),
    ...after,
  ];
  return parseTomlLayout(text)
    .sections.flatMap(ofSection)
    .filter((line) => line !== '');
}

function sectionLines(section: TomlSection, root: Place, isFirst: boolean): Line[] {
  const { header, statements, after } = section;
  const inside = header === undefined ? root : placeOfHeader(header, root);
  const sorted = sortByKey(inside, statements, (statement) => nameOf(statement.key[0] ?? ''));
  const first = statements[0];
  // Blank lines made groups of the old order.
  const isSorted = sorted.every((statement, index) => statement === statements[index]);
  const fileHeader = isFirst && first !== undefined && sorted[0] !== first ? first.before : [];
  return [
    ...(header === undefined ? [] : [...header.before, withComment(headerText(header), header.comment)]),
    ...(fileHeader.some((line) => line !== '') ? [...withoutOuterBlanks(fileHeader), ''] : []),
    ...withoutOuterBlanks(
      sorted.flatMap((statement) => {
        const before = fileHeader === statement.before ? [] : statement.before;
        return statementLines({ ...statement, before: isSorted ? before : before.filter((line) => line !== '') }, inside);
      }),
    ),
    ...after,
  ];
}

/** Where the keys below a header stand. */
function placeOfHeader({ isArray, key }: NonNullable<TomlSection['header']>, root: Place): Place {
  const place = key.reduce<Place>((at, segment) => placeOfValue(at, nameOf(segment)), root);
  return isArray ? placeOfItem(place) : place;
}

function headerText({ isArray, key }: NonNullable<TomlSection['header']>): string {
  const path = key.map(keyText).join('.');
  return isArray ? `[[${path}]]` : `[${path}]`;
}

function statementLines({ before, key, value, comment }: TomlStatement, place: Place): Line[] {
  const start = `${key.map(keyText).join('.')} = `;
  const text = valueText(
    value,
    key.reduce<Place>((at, segment) => placeOfValue(at, nameOf(segment)), place),
    { column: start.length, indent: '' },
  );
  return [...before, withComment(start + text, comment)];
}

interface Room {
  /** Where the value begins. */
  column: number;
  indent: string;
}

function valueText(value: TomlValue, place: Place, room: Room): string {
  if (value.kind === 'scalar') return scalarText(value.source);
  const isTable = value.kind === 'table';
  const items = isTable ? sortByKey(place, value.items, (item) => nameOf(item.key?.[0] ?? '')) : value.items;
  const [open, close] = isTable ? ['{', '}'] : ['[', ']'];
  if (items.length === 0 && value.after.length === 0) return open + close;
  const hasComments = value.after.length > 0 || items.some(({ before, comment }) => before.length > 0 || comment !== undefined);
  const texts = items.map((item) => itemText(item, isTable ? place : placeOfItem(place), { column: 0, indent: `${room.indent}  ` }));
  const line = `${open}${isTable ? ' ' : ''}${texts.join(', ')}${isTable ? ' ' : ''}${close}`;
  const fits = !line.includes('\n') && room.column + line.length <= lineWidth;
  // Not every reader of TOML takes an inline table over several lines.
  if (!hasComments && (fits || isTable)) return line;
  const indent = `${room.indent}  `;
  const last = items.length - 1;
  const lines = items.flatMap(({ before, comment }, index) => [
    ...before.map((text) => indent + text),
    indent + withComment(`${texts[index] ?? ''}${isTable && index === last ? '' : ','}`, comment),
  ]);
  return [open, ...lines, ...value.after.map((text) => indent + text), room.indent + close].join('\n');
}

function itemText({ key, value }: TomlItem, place: Place, room: Room): string {
  if (key === undefined) return valueText(value, place, { ...room, column: room.indent.length });
  const start = `${key.map(keyText).join('.')} = `;
  const inside = key.reduce<Place>((at, segment) => placeOfValue(at, nameOf(segment)), place);
  return start + valueText(value, inside, { ...room, column: room.indent.length + start.length });
}

/** Bare where it can be. */
function keyText(segment: string): string {
  const name = nameOf(segment);
  if (/^[A-Za-z0-9_-]+$/u.test(name)) return name;
  return scalarText(segment);
}

function nameOf(segment: string): string {
  return /^["'].*["']$/su.test(segment) && !segment.includes('\\') ? segment.slice(1, -1) : segment;
}

/** Double quotes where nothing in the text needs the single ones. */
function scalarText(source: string): string {
  const isLiteral = source.startsWith("'") && !source.startsWith("'''");
  return isLiteral && !/["\\]/u.test(source) ? `"${source.slice(1, -1)}"` : source;
}

function withComment(text: string, comment: string | undefined): string {
  return comment === undefined ? text : `${text} ${comment}`;
}

function withoutOuterBlanks(lines: readonly Line[]): Line[] {
  const first = lines.findIndex((line) => line !== '');
  const last = lines.findLastIndex((line) => line !== '');
  return first < 0 ? [] : lines.slice(first, last + 1);
}

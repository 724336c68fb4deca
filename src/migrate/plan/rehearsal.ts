import { isListOf, isObject, isText } from './shape.ts';

/** What a rehearsal has measured, on a copy of the database: it stands in the plan that was written down. */
export interface PlanRehearsal {
  readonly endedAtMs: number;
  /** Host, port and database of the copy. */
  readonly target: string;
  readonly files: readonly RehearsedFile[];
  /** What the tables of the copy had before, as the plan counts rows. */
  readonly tables: readonly { readonly table: string; readonly rows: number | null }[];
}

/** What a file took in a rehearsal. */
export interface RehearsedFile {
  readonly tag: string;
  /** sha256 of the file: another one takes another time. */
  readonly hash: string;
  readonly durationMs: number;
}

const isRehearsedFile = (value: unknown): value is RehearsedFile =>
  isObject(value) && [value['tag'], value['hash']].every(isText) && Number.isFinite(value['durationMs']);

export const isTableOfPlan = (
  value: unknown,
): value is { readonly table: string; readonly rows: number | null } =>
  isObject(value) && isText(value['table']) && (value['rows'] === null || Number.isFinite(value['rows']));

export const isPlanRehearsal = (value: unknown): value is PlanRehearsal =>
  isObject(value) &&
  Number.isFinite(value['endedAtMs']) &&
  isText(value['target']) &&
  isListOf(value['files'], isRehearsedFile) &&
  isListOf(value['tables'], isTableOfPlan);

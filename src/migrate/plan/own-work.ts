import { type Fingerprint, notValid } from './fingerprint.ts';

/** What tables were when a plan was made, what they are now, and what its files make of them. */
export interface PlanCatalogs {
  readonly was: Fingerprint;
  readonly is: Fingerprint;
  readonly makes: Fingerprint;
}

/** An index that `expect_index` has renamed. */
const renamed = /^(index .+)__(set_aside|broken)$/;

/**
 * Is an object that is not as it was just as the plan's own files leave it, or leave it half done? A run that was stopped is
 * then finished by the same plan. It is no matter who has run these files: stock drizzle-kit runs the same statements.
 *
 * What is foreign, or has the name of something of ours and is not exactly that, is no own work; nor is what the files
 * would not have taken away.
 */
export function isOwnWork(name: string, catalogs: PlanCatalogs): boolean {
  const { was, is, makes } = catalogs;
  const [, index, suffix] = renamed.exec(name) ?? [];
  if (index !== undefined && makes[index] !== undefined && makes[name] === undefined)
    return suffix === 'set_aside' ? isSetAside(index, catalogs) : isBroken(index, catalogs);
  const made = makes[name];
  if (made === undefined) return false;
  if (is[name] === made) return true;
  // Dropped and made anew in one message; validated later.
  if (name.startsWith('constraint ')) return is[name] === `${made}${notValid}`;
  // All else stands from one moment to the next. An index that is as it has to be is left alone.
  if (!name.startsWith('index ') || was[name] === made) return false;
  const isUnderWay = is[name] === `${made}${notValid}` || is[name] === undefined;
  // One that served goes on to serve, until its successor stands.
  return isUnderWay && (!isValid(was[name]) || is[`${name}__set_aside`] !== undefined);
}

/** A valid index that was defined otherwise, under its second name. */
function isSetAside(index: string, { was, is, makes }: PlanCatalogs): boolean {
  const name = `${index}__set_aside`;
  const now = is[name];
  const hasSuccessor = is[index] === makes[index];
  if (now === undefined) return hasSuccessor;
  const origins = [was[name], isValid(was[index]) ? leftBy(index, { was, is, makes }) : undefined];
  // INVALID where its drop was broken off.
  return isValid(now) ? origins.includes(now) : hasSuccessor && origins.includes(toValid(now));
}

/** What serves nobody, or is spare, on its way out: what was in the way, or a build of ours that was stopped. */
function isBroken(index: string, catalogs: PlanCatalogs): boolean {
  const name = `${index}__broken`;
  const now = catalogs.is[name];
  if (now === undefined || now === `${catalogs.makes[index]}${notValid}`) return true;
  const origins = [catalogs.was[name], leftBy(index, catalogs)];
  return origins.some((origin) => origin !== undefined && toValid(origin) === toValid(now));
}

/** What stood under the name of an index that we build, and does not stand there any more. */
const leftBy = (index: string, { was, is, makes }: PlanCatalogs): string | undefined =>
  was[index] === is[index] || was[index] === makes[index] ? undefined : was[index];

const isValid = (hash: string | undefined): hash is string => hash !== undefined && !hash.endsWith(notValid);

const toValid = (hash: string): string => hash.replace(notValid, '');

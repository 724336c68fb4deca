/** The SQLSTATE of what a driver, Drizzle or our queries throw; undefined where the server has said nothing. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    for (const name of ['sqlState', 'code']) {
      const value: unknown = Reflect.get(cause, name);
      if (typeof value === 'string' && /^[0-9A-Z]{5}$/.test(value) && !/^E[A-Z]{4}$/.test(value))
        return value;
    }
  }
  return undefined;
}

/** Has the server said that nothing of it is committed? Of a connection that is lost nobody knows. */
export function isRefused(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !isLost(state);
}

const isLost = (state: string): boolean => state.startsWith('08') || state.startsWith('57P');

/** What a service may meet, and goes on after. */
const expected: Readonly<Record<string, string>> = {
  '42703': 'a column is not there yet, or not any more',
  '42P01': 'a table is not there yet',
  '0A000': 'a prepared statement gives other columns now',
  '53100': 'the disk is full',
  '40P01': 'a deadlock',
};

/** What no service should ever be told, in words; undefined for what it may. */
export function describeSurprise(error: unknown): string | undefined {
  if (error instanceof AggregateError) {
    const surprises = error.errors.map(describeSurprise);
    return surprises.find((surprise) => surprise !== undefined);
  }
  const state = sqlStateOf(error);
  if (state === undefined) return isOfConnection(error) ? undefined : String(error);
  return isLost(state) || state in expected ? undefined : `${state}: ${messageOf(error)}`;
}

function isOfConnection(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const code: unknown = Reflect.get(cause, 'code');
    if (typeof code === 'string' && /^(CONNECTION_|CONNECT_|E[A-Z]+$)|^connection_/.test(code)) return true;
  }
  return false;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** What an audit says where a table or a column is gone; any other error is the torture's own. */
export function describeMissing(error: unknown): string {
  const state = sqlStateOf(error);
  if (state === '42P01' || state === '42703') return messageOf(error);
  throw error;
}

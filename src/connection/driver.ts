import { OperationError } from './errors.ts';

/** Loads a driver that is installed only where it is used; where it is not, says how to install it. */
export async function loadDriver<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    // Only "this very package is not there" may be called that: any other fault of the driver has to be seen.
    if (!isMissing(cause, name)) throw cause;
    throw new OperationError({
      code: 'DRIVER_MISSING',
      message: `the driver ${name} is not installed`,
      advice: `Install it beside multi-pair-db: npm install ${name}`,
    });
  }
}

/** What import says of it, and require. */
const notFound: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

function isMissing(cause: unknown, name: string): boolean {
  return (
    cause instanceof Error &&
    notFound.includes(Reflect.get(cause, 'code')) &&
    cause.message.includes(`'${name}'`)
  );
}

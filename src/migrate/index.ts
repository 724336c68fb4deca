/** The migrator: applies, proves and undoes the migrations of any drizzle folder on a live database. */
export { type Connection, connectEmbedded, type Notice, openConnection } from './connection.ts';
export {
  type FailureExitCode,
  OperationError,
  type OperationErrorCode,
  type OperationErrorDetails,
} from './errors.ts';

/** The tables and their row types: the only source of truth about what is stored. */
export { type Fill, fillIdentity, fills, type NewFill } from './fills.ts';
export { type NewOrder, type Order, orders } from './orders.ts';
export { type NewSession, type Session, sessions } from './sessions.ts';

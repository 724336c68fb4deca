/** What the minutes and the disk of a plan hold for: so many rows more or less, as a share. */
export const maxRowsOff = 0.25;
/** So few more or less change nothing, whatever share they are. */
export const fewRows = 1_000;

/**
 * The rules that a run follows to its end are those of its start: `vapora.resolve` answers with this number, which stands in the run's
 * history. Runs from before it answered follow 1. 2: a deployment runs as sub-steps, and undoes itself when it fails; people are notified;
 * a long run continues as new. 3: an answer of the database is a round of its own (`workflows/driver.ts`), and a run continues as new a
 * timer after it was saved. 4: its steps may be edited; people do steps; an end withdraws gates in the order of their ids.
 */
export const engineVersion = 4;

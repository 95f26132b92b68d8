/** How long a lease lasts without renewal. */
export const leaseSeconds = 60;

// Prices are in cents, as the service keeps them.
const format = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

export const euros = (cents) => format.format(cents / 100);

/** What a field for a time holds, in UTC as the page says, with its seconds: browsers leave those out where they are 0. */
export const utc = (value) => new Date(`${value}Z`).toISOString();

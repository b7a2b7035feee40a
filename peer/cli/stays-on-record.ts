/** Said before an account gets its first record, and before it is deleted. */
export const STAYS_ON_RECORD =
  'The public record keeps what it has, for good, and nobody can remove it: that there was an account, the public keys of its devices, when each came and went, and a scrambled form of the username, by which anybody can check a name that they guess.'

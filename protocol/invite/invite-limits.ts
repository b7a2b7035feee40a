/** Bounds of invitations. Imports nothing, so that a command line is understood without the protocol. */

/** People who may accept one invitation. */
export const MAX_INVITE_USES = 100
/** An invitation is good for this long unless the inviter says otherwise. */
export const INVITE_LIFE_MS = 7 * 24 * 60 * 60 * 1000
/** The longest life that an invitation may be given. */
export const MAX_INVITE_LIFE_MS = 30 * 24 * 60 * 60 * 1000

/** Why a node did not do what was asked. The codes are stable; the text beside one is for logs only. */
export const PEER_ERROR_CODES = [
  'malformed',
  'too-large',
  'unsupported-version',
  'not-authenticated',
  'authentication-failed',
  'unknown-device',
  'device-revoked',
  'not-a-replica',
  'wrong-epoch',
  'rate-limited',
  'not-found',
  'refused',
  'busy',
  'internal'
] as const
export type PeerErrorCode = (typeof PEER_ERROR_CODES)[number]

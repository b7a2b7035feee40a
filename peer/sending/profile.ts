import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { OwnAccount } from '../store/own-account.ts'

/** Revision of the profile that is given to others: it changes with the first profile screen. */
export const PROFILE_REVISION = 1

/** What the members of a conversation are told about this account. */
export function profileBody({ displayName, name }: OwnAccount): MessageBody {
  return {
    kind: 'profile',
    revision: PROFILE_REVISION,
    displayName,
    username: name?.username ?? null,
    about: '',
    picture: null,
    deliveryToken: null
  }
}

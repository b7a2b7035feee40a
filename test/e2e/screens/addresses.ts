import { conversationId, person } from '../../support/fixture-world.ts'

/** Hash of the chat with Bob. */
export const BOB_THREAD = `#/chats/${conversationId(person('Bob'))}`
/** Hash of the chat with Mary, whose messages are held. */
export const MARY_THREAD = `#/chats/${conversationId(person('Mary Somerville', { username: 'mary' }))}`
/** Account of a person who has not answered yet. */
export const CHARLES = person('Charles Babbage').accountId
/** Account of the person with the longest name. */
export const COUNTESS = person('Augusta Ada King-Noel, Countess of Lovelace').accountId

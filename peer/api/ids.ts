/** Lower-case hex of an account id, 64 characters. */
export type AccountHex = string
/** Lower-case hex of a conversation id. */
export type ConversationHex = string
/** Names a message, the same on every device that shows it: 64 characters of lower-case hex. */
export type MessageHex = string

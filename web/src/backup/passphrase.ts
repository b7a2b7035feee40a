/** Letters and digits that nobody takes for one another: 31 of them. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 5
const GROUP_LENGTH = 5
/** Bytes from here on are drawn again: each character is as likely as any other. */
const LIMIT = 256 - (256 % ALPHABET.length)

/** A passphrase of 25 characters, more than 120 bits, in groups that are easy to write down. */
export function suggestedPassphrase(random: (length: number) => Uint8Array): string {
  const characters: string[] = []
  while (characters.length < GROUPS * GROUP_LENGTH) {
    for (const byte of random(GROUPS * GROUP_LENGTH))
      if (byte < LIMIT) characters.push(ALPHABET[byte % ALPHABET.length]!)
  }
  const groupOf = (group: number): string => characters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join('')
  return Array.from({ length: GROUPS }, (_, group) => groupOf(group)).join('-')
}

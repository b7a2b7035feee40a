/** `export`: every chat of this device as files that open without Volo. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, ConversationSummary, Me } from '../../peer-api.ts'
import { PeerError } from '../../errors.ts'
import { commandError } from '../errors.ts'
import { fileJson, nameOf, textOfMessage } from '../output.ts'
import { saveIn } from './files.ts'
import { EXIT, me, requireRegistered, type Run } from './runnable.ts'

const PAGE = 200
const CONNECT_MS = 5_000

/** A message as it is exported. */
interface Exported {
  id: string
  from: string
  mine: boolean
  sentAt: number
  kind: ChatMessage['kind']
  text: string
  files: (object & { path: string | null })[]
}

export const exportAll: Run<'exportAll'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const folder = resolve(command.out)
  await makeNew(folder)
  await peer.online(CONNECT_MS)
  const self = await me(peer)
  const { conversations } = await peer.snapshot()
  const index: { title: string; page: string; messages: number }[] = []
  let missing = 0
  for (const [number, conversation] of conversations.entries()) {
    const messages = await exportChat(peer, conversation, { folder, self, number })
    missing += messages.flatMap(({ files }) => files).filter(({ path }) => path === null).length
    index.push({ title: titleOf(conversation), page: `chat-${number + 1}.html`, messages: messages.length })
  }
  await writeFile(join(folder, 'index.html'), indexPage(self, index), { mode: 0o600 })
  const count = index.reduce((sum, { messages }) => sum + messages, 0)
  await output.print(
    { out: folder, chats: index.length, messages: count, missingFiles: missing },
    `${count} messages of ${index.length} chats are in ${folder}; open index.html. They are not encrypted there.`
  )
  if (missing > 0) output.note(`${missing} files are not on the network any more, and are left out`)
  return EXIT.done
}

/** A new folder: an export never mixes with something else. */
async function makeNew(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const detail = String((error as NodeJS.ErrnoException).code ?? error)
    throw commandError('file-not-written', { file: folder, detail })
  }
}

async function exportChat(
  peer: NodePeer,
  conversation: ConversationSummary,
  { folder, self, number }: { folder: string; self: Me; number: number }
): Promise<Exported[]> {
  const messages: Exported[] = []
  for (const message of await allOf(peer, conversation.id)) {
    const { id, mine, sentAt, kind } = message
    const from = nameOf(mine ? self : conversation.person)
    const files = message.file
      ? [{ ...fileJson(message.file), path: await exportFile(peer, message, folder, number) }]
      : []
    messages.push({ id, from, mine, sentAt, kind, text: textOfMessage(message), files })
  }
  const { person, kind } = conversation
  const chat = { title: titleOf(conversation), kind, accountId: person.accountId, username: person.username, messages }
  await writeFile(join(folder, `chat-${number + 1}.json`), `${JSON.stringify(chat, null, 2)}\n`, { mode: 0o600 })
  await writeFile(join(folder, `chat-${number + 1}.html`), chatPage(chat), { mode: 0o600 })
  return messages
}

async function allOf(peer: NodePeer, conversationId: string): Promise<ChatMessage[]> {
  const pages: ChatMessage[][] = []
  for (let before: string | undefined; ; before = pages[0]![0]!.id) {
    const page = await peer.messages.page(conversationId, { limit: PAGE, ...(before !== undefined && { before }) })
    if (page.length === 0) return pages.flat()
    pages.unshift(page)
  }
}

/** @returns its path inside of the export; null if nobody has it any more. */
async function exportFile(peer: NodePeer, { id }: ChatMessage, folder: string, number: number): Promise<string | null> {
  const directory = join(folder, `files-${number + 1}`)
  try {
    const { name } = await peer.files.fetch(id)
    const path = await saveIn(directory, name, peer, id)
    return path.slice(folder.length + 1)
  } catch (error) {
    if (!(error instanceof PeerError)) throw error
    await rm(directory, { recursive: false, force: true }).catch(() => undefined)
    return null
  }
}

const titleOf = ({ title, person, kind }: ConversationSummary): string =>
  kind === 'notes-to-self' || person.username === null ? title : `${title} (@${person.username})`

const escaped = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

/** A page without any script; the policy says so, too. */
function page(title: string, body: string): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}p{white-space:pre-wrap;overflow-wrap:anywhere}
small{color:#666}article{margin:0 0 1rem;padding:.5rem 1rem;border:1px solid #ccc;border-radius:.5rem}.mine{background:#eef}</style>
</head><body><h1>${escaped(title)}</h1>
${body}
</body></html>
`
}

function indexPage(self: Me, chats: { title: string; page: string; messages: number }[]): string {
  const lines = chats.map(
    ({ title, page: href, messages }) => `<li><a href="${href}">${escaped(title)}</a> <small>${messages}</small></li>`
  )
  return page(`Chats of ${nameOf(self)}`, `<ul>\n${lines.join('\n')}\n</ul>`)
}

function chatPage({ title, messages }: { title: string; messages: Exported[] }): string {
  const articles = messages.map(({ from, mine, sentAt, text, files }) => {
    const when = new Date(sentAt).toISOString()
    const links = files.map(({ path, ...file }) => {
      const name = escaped(String((file as { name?: string }).name))
      return path === null ? `<p><em>${name}</em></p>` : `<p><a href="${escaped(encodeURI(path))}">${name}</a></p>`
    })
    const head = `<small>${escaped(from)}, <time datetime="${when}">${when.slice(0, 16).replace('T', ' ')}</time></small>`
    const said = text === '' ? '' : `<p>${escaped(text)}</p>`
    return `<article${mine ? ' class="mine"' : ''}>${head}${said}${links.join('')}</article>`
  })
  return page(title, articles.join('\n'))
}

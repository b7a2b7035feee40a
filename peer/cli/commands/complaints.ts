/** `complaints`: what nodes promised and did not keep, and the proof of it as files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ComplaintView, PromiseView } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { chatNamed, messageNamed } from './find-conversation.ts'
import { EXIT, requireLive, requireRegistered, type Run } from './runnable.ts'

/** Prints one line for each complaint of this device, the newest first. */
export const complaintsList: Run<'complaintsList'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  for (const complaint of await peer.complaints.list()) {
    const { text: _file, ...facts } = complaint
    await output.print(facts, complaint.sentence)
  }
  return EXIT.done
}

/** Asks the nodes that signed for a message whether they still hold it. */
export const complaintsCheck: Run<'complaintsCheck'> = async (peer, command, output) => {
  await requireLive(peer)
  const conversation = await chatNamed(peer, command.chat, command.timeoutMs)
  const message = await messageNamed(peer, conversation, command.message, command.timeoutMs)
  const promises = await peer.complaints.check(message.id)
  for (const promise of promises) await output.print({ ...promise }, promiseLine(promise))
  if (promises.length === 0)
    output.note('no node signed for this message, or only an earlier version kept the receipts')
  return EXIT.done
}

/** Writes each complaint as a file that `volo-verify complaint` judges. */
export const complaintsExport: Run<'complaintsExport'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const complaints = await peer.complaints.list()
  const folder = resolve(command.out)
  const files = complaints.map(complaint => ({ file: join(folder, fileName(complaint)), text: complaint.text }))
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const { file, text } of files) await writeFile(file, text, { mode: 0o600 })
  } catch (error) {
    const detail = String((error as NodeJS.ErrnoException).code ?? error)
    throw commandError('file-not-written', { file: folder, detail })
  }
  await output.print(
    { out: folder, complaints: files.map(({ file }) => file) },
    `${files.length} complaints are in ${folder}.`
  )
  return EXIT.done
}

const fileName = ({ node, deliveryId, mailbox }: ComplaintView): string =>
  `complaint-${node.slice(0, 16)}-${deliveryId.slice(0, 16)}-${mailbox.slice(0, 8)}.json`

function promiseLine({ node, state, mailbox, sentence }: PromiseView): string {
  const line = `${state.padEnd(7)} node ${node.slice(0, 16)}… for device ${mailbox.slice(0, 8)}`
  return sentence === null ? line : `${line}: ${sentence}`
}

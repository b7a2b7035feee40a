/**
 * Restores a backup from what docs/backup-format.md and docs/file-format.md say, with none of Volo's code: primitives are Node's, CBOR
 * and Argon2id are libraries. It shows that the text is enough to write a restorer.
 */
import { createDecipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { decode, encode } from 'cborg'
import { argon2id } from 'hash-wasm'

type Value = number | string | boolean | null | Uint8Array | Value[]

/** A message as it was in the backup. */
export interface BookMessage {
  order: string
  author: string
  mine: boolean
  text: string
  sentAt: number
  file: { name: string; content: Buffer } | null
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const cbor = (...items: Value[]): Buffer => Buffer.from(encode(items))
const read = (bytes: Uint8Array): Value[] => decode(bytes, { useMaps: false }) as Value[]

/** HKDF-Expand with SHA-256 for one block, which is all that is needed here. */
const expand = (key: Uint8Array, info: Uint8Array): Buffer =>
  createHmac('sha256', key).update(info).update(Uint8Array.of(1)).digest()

function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, data: Uint8Array): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(data)
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
}

/** Everything in the backup of an account, in order. */
export async function restoreByTheBook(node: string, account: string, passphrase: string): Promise<BookMessage[]> {
  const json = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(node + path)).json()) as Record<string, unknown>
  const network = Buffer.from(String((await json('/v1/network'))['networkId']), 'hex')
  const label = (purpose: string, ...parts: Value[]): Buffer => cbor(`volo/1/${purpose}`, network, ...parts)

  const lock = (await json(`/v1/backups/${account}`)) as { kdf: Record<string, number | string>; salt: string }
  const salt = Buffer.from(lock.salt, 'hex')
  const master = await derive(passphrase.normalize('NFKC'), salt, lock.kdf)
  const [wrapKey, token] = [expand(master, label('backup-wrap-key')), expand(master, label('backup-token'))]
  const authorization = `Volo-Backup ${account}.${hex(token)}`
  const bytesOf = async (path: string): Promise<Uint8Array> => {
    const answer = await fetch(node + path, { headers: { authorization } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return new Uint8Array(await answer.arrayBuffer())
  }

  const head = read(await bytesOf(`/v1/backups/${account}/head`))
  const [version, owner, kdf, headSalt, , wrapped, , sealed] = head as [
    number,
    Uint8Array,
    Value,
    Uint8Array,
    Value,
    Uint8Array,
    number,
    Uint8Array
  ]
  const backupKey = open(wrapKey, new Uint8Array(12), wrapped, label('backup-key', owner, version, kdf, headSalt))
  const data = label('backup-head', Uint8Array.from(cbor(...head.with(7, new Uint8Array(28)))))
  const headKey = expand(backupKey, label('backup-head-key'))
  const [, series] = read(open(headKey, sealed.subarray(0, 12), sealed.subarray(12), data)) as [number, Value[][]]

  const fileOf = async (file: Value[]): Promise<Buffer> => {
    const [hash, size, key] = file as [Uint8Array, number, Uint8Array]
    return openFile(await bytesOf(`/v1/objects/${hex(hash)}`), { hash, size, key }, label)
  }
  const messages = new Map<string, BookMessage>()
  for (const each of series) {
    const segments = read(await fileOf(each[2] as Value[]))[4] as Value[][]
    for (const [file, digest] of segments as [Value[], Uint8Array][]) {
      const content = await fileOf(file)
      if (hex(createHash('sha256').update(content).digest()) !== hex(digest)) throw new Error('another content')
      for (const piece of read(content)[1] as Uint8Array[]) {
        for (const conversation of read(piece)[7] as Value[][]) {
          for (const [order, row] of conversation[8] as [string, Value[]][]) {
            const name = [conversation[0], row[2], row[0]].map(part => hex(part as Uint8Array)).join()
            messages.set(name, await messageOf(order, row, fileOf))
          }
        }
      }
    }
  }
  return [...messages.values()].sort((a, b) => (a.order < b.order ? -1 : 1))
}

async function derive(passphrase: string, salt: Buffer, kdf: Record<string, number | string>): Promise<Uint8Array> {
  const { kind, iterations, memoryKib, parallelism } = kdf as {
    kind: string
    iterations: number
    memoryKib: number
    parallelism: number
  }
  if (kind === 'pbkdf2') {
    if (iterations < 600_000) throw new Error('weak')
    return pbkdf2Sync(passphrase, salt, iterations, 32, 'sha512')
  }
  if (memoryKib < 65_536 || iterations < 3 || parallelism !== 1) throw new Error('weak')
  return argon2id({
    password: passphrase,
    salt,
    iterations,
    parallelism,
    memorySize: memoryKib,
    hashLength: 32,
    outputType: 'binary'
  })
}

function openFile(
  stored: Uint8Array,
  { hash, size, key }: { hash: Uint8Array; size: number; key: Uint8Array },
  label: (purpose: string, ...parts: Value[]) => Buffer
): Buffer {
  if (hex(createHash('sha256').update(stored).digest()) !== hex(hash)) throw new Error('another file')
  if (stored[0] !== 1) throw new Error('another version')
  const chunkKey = expand(key, label('file-key'))
  const chunks: Buffer[] = []
  const length = 1024 * 1024 + 16
  const count = Math.ceil((stored.length - 1) / length)
  for (let index = 0; index < count; index++) {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(index, 7)
    nonce[11] = index === count - 1 ? 1 : 0
    const start = 1 + index * length
    chunks.push(open(chunkKey, nonce, stored.subarray(start, start + length), label('file-chunk', 1, size)))
  }
  return Buffer.concat(chunks).subarray(0, size)
}

async function messageOf(
  order: string,
  row: Value[],
  fileOf: (file: Value[]) => Promise<Buffer>
): Promise<BookMessage> {
  const file = row[13] as Value[] | null
  return {
    order,
    author: hex(row[2] as Uint8Array),
    mine: row[4] as boolean,
    text: row[6] as string,
    sentAt: row[8] as number,
    file: file && { name: file[3] as string, content: await fileOf(file.slice(0, 3)) }
  }
}

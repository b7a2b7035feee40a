import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { decode, encode, struct } from '../../../protocol/codec.ts'
import { erase, Secret, secretBytes } from '../../../protocol/secret.ts'

const value = Uint8Array.from({ length: 32 }, (_, i) => 200 + i)
const secretOf = (): Secret => new Secret(value.slice())
const shown = 'Secret(32 bytes)'

test.each<[string, (secret: Secret) => string]>([
  ['a template', secret => `${secret}`],
  ['String()', secret => String(secret)],
  ['JSON', secret => (JSON.parse(JSON.stringify({ secret })) as { secret: string }).secret],
  ['util.inspect, and so console.log', secret => inspect(secret, { showHidden: true, depth: 9 })],
  ['an error message', secret => new Error(`bad key ${secret}`).message.slice('bad key '.length)]
])('%s shows the length of a secret alone', (_, print) => {
  expect(print(secretOf())).toBe(shown)
})

test.each<[string, (secret: Secret) => object]>([
  ['a structured clone', secret => structuredClone(secret)],
  ['a spread', secret => ({ ...secret })],
  ['Object.assign', secret => Object.assign({}, secret)]
])('%s holds nothing of a secret', (_, copy) => {
  expect(Reflect.ownKeys(copy(secretOf()))).toEqual([])
})

test('secrets are compared by what they hold only where that is asked for', () => {
  const [one, other] = [secretOf(), secretOf()]
  expect(one === other).toBe(false)
  expect(one.equals(other)).toBe(true)
  other.expose()[31]! ^= 1
  expect(one.equals(other)).toBe(false)
  expect(one.equals(new Secret(value.slice(1)))).toBe(false)
})

test('tests compare secrets by what they hold, also deep inside', () => {
  const other = secretOf()
  expect({ keys: [secretOf()] }).toEqual({ keys: [other] })
  other.expose()[31]! ^= 1
  expect({ keys: [secretOf()] }).not.toEqual({ keys: [other] })
  expect({ keys: [secretOf()] }).not.toEqual({ keys: [{}] })
})

test('an erased secret holds zeros', () => {
  const bytes = value.slice()
  erase(new Secret(bytes))
  expect(bytes).toEqual(new Uint8Array(32))
})

test('a codec of a sealed state writes the bytes and reads a copy', () => {
  const codec = struct({ key: secretBytes(32) })
  const bytes = encode(codec, { key: secretOf() })
  const { key } = decode(codec, bytes, { maxBytes: 100 })
  bytes.fill(0)
  expect(key.expose()).toEqual(value)
})

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { decodeWebManifest, encodeWebManifest, type WebManifest } from '../../../chain/verify/web-manifest.ts'
import { fromHex, toHex, utf8 } from '../../../protocol/bytes.ts'
import { encodeReleaseProof } from '../../../protocol/directory/proofs/release-proof.ts'
import { buildRelease } from '../../../protocol/identity/build-record.ts'
import { castKey, network, releaseKey } from '../../support/directory/cast.ts'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import { CommandProcess, pinnedNode, root, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { cborAnswer, NodeServer } from '../../support/verify/node-server.ts'
import { PublishedWorld } from '../../support/verify/published-world.ts'
import { checksOf, factOf, verify, verifyText } from '../../support/verify/run-verify.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** An app of these files, with its manifest. */
function appOf(version: string, texts: Record<string, string>): { files: Map<string, Uint8Array>; hash: Uint8Array } {
  const files = new Map(Object.entries(texts).map(([path, text]) => [path, utf8(text)]))
  const listed = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  const manifest: WebManifest = {
    format: 'volo/1/web-manifest',
    version,
    files: listed.map(([path, bytes]) => ({ path, size: bytes.length, sha256: sha256(bytes) }))
  }
  const bytes = encodeWebManifest(manifest)
  files.set('web-manifest.json', bytes)
  return { files, hash: fromHex(sha256(bytes)) }
}

const OLD = appOf('1.0.0', { 'index.html': '<p>one', 'assets/app.js': 'one()' })
const NEW = appOf('1.1.0', { 'index.html': '<p>two', 'assets/app.js': 'two()', 'assets/more.js': 'more()' })
const EVIL = appOf('1.1.0', { 'index.html': '<p>two', 'assets/app.js': 'steal()', 'assets/evil.js': 'evil()' })

describe('volo-verify bundle', () => {
  let world: PublishedWorld
  let nodes: [NodeServer, NodeServer]

  const serve = (node: NodeServer, { files }: typeof NEW): void => {
    node.files.clear()
    for (const [path, bytes] of files) node.files.set(path, bytes)
  }
  const release = (version: string, hash: Uint8Array, key = releaseKey) =>
    buildRelease(network, key, { version: utf8(version), manifestHash: hash, time: 1 })
  const at = (...servers: NodeServer[]): string[] => servers.flatMap(({ url }) => ['--node', url])

  beforeAll(async () => {
    world = await PublishedWorld.start()
    await world.publish(await release('1.0.0', OLD.hash))
    // Whoever has no release key publishes nothing.
    await world.publish(await release('6.6.6', EVIL.hash, await castKey('thief')))
    await world.publish(await release('1.1.0', NEW.hash))
    const replay = await world.replay()
    nodes = [await new NodeServer('one', replay).start(), await new NodeServer('two', replay).start()]
  })

  afterEach(() => {
    for (const node of nodes) {
      serve(node, NEW)
      node.lie = undefined
    }
  })

  afterAll(async () => {
    for (const node of nodes ?? []) await node.stop()
    await world?.stop()
  })

  it('verifies nodes that serve the newest release, byte for byte', async () => {
    for (const node of nodes) serve(node, NEW)
    const run = await verify('bundle', ...at(...nodes))
    expect(run.code).toBe(0)
    expect(run.json.trust).toMatchObject({ reached: 'L2' })
    expect(factOf(run, 'release')).toMatchObject({ version: '1.1.0', manifestHash: toHex(NEW.hash), confirmations: 1 })
    // Three files, and the page at the root.
    expect(factOf(run, 'nodes')).toMatchObject([{ same: 4, changed: [], missing: [], extra: [] }, { same: 4 }])
    const alone = await verify('bundle', ...at(nodes[0]))
    expect([alone.code, alone.json.trust.reached]).toEqual([0, 'L1'])
    const { stdout } = await verifyText('bundle', ...at(nodes[0]))
    expect(stdout).toContain('release 1.1.0')
  })

  it('takes the record from a Blockfrost server, too', async () => {
    serve(nodes[0], NEW)
    const run = await verify('bundle', ...at(nodes[0]), '--blockfrost', world.url, '--network', world.networkFile)
    expect([run.code, run.json.trust.reached]).toEqual([0, 'L2'])
  })

  it('names every file that is changed, missing, longer, or another page at the root', async () => {
    const [node] = nodes
    serve(node, NEW)
    node.files.set('assets/app.js', utf8('two!!'))
    node.files.set('assets/more.js', utf8('more() and much more'))
    const changed = await verify('bundle', ...at(node))
    expect(changed.code).toBe(1)
    expect(factOf(changed, 'nodes')).toMatchObject([
      { same: 2, changed: ['assets/app.js', 'assets/more.js'], missing: [], extra: [] }
    ])
    serve(node, NEW)
    node.files.delete('assets/app.js')
    node.lie = (path, honest) => (path === '/' ? { ...honest, body: '<p>evil' } : honest)
    const missing = await verify('bundle', ...at(node))
    expect(missing.code).toBe(1)
    expect(factOf(missing, 'nodes')).toMatchObject([{ changed: ['/'], missing: ['assets/app.js'] }])
  })

  it('does not believe a manifest that no release names, and says what differs if given the right one', async () => {
    const [node] = nodes
    serve(node, EVIL)
    const run = await verify('bundle', ...at(node))
    expect(run.code).toBe(1)
    expect(checksOf(run, 'failed')).toEqual(['manifest'])
    expect(checksOf(run, 'skipped')).toEqual(['files'])
    const file = join(world.folder, 'manifest.json')
    writeFileSync(file, NEW.files.get('web-manifest.json')!)
    const told = await verify('bundle', ...at(node), '--manifest', file)
    expect(told.code).toBe(1)
    expect(factOf(told, 'nodes')).toMatchObject([
      { same: 2, changed: ['assets/app.js'], missing: ['assets/more.js'], extra: ['assets/evil.js'] }
    ])
    writeFileSync(file, EVIL.files.get('web-manifest.json')!)
    const wrong = await verify('bundle', ...at(nodes[1]), '--manifest', file)
    expect([wrong.code, checksOf(wrong, 'failed')]).toEqual([1, ['manifest']])
    writeFileSync(file, '{}')
    expect((await verify('bundle', ...at(node), '--manifest', file)).code).toBe(2)
  })

  it('tells a genuine release that is not the newest', async () => {
    serve(nodes[0], OLD)
    const run = await verify('bundle', ...at(nodes[0]))
    expect(run.code).toBe(3)
    expect(run.json.checks.find(({ id }) => id === 'manifest')).toMatchObject({
      outcome: 'unconfirmed',
      detail: expect.stringContaining('1.0.0')
    })
  })

  it('finds nothing where no manifest is served, or no release is recorded', async () => {
    nodes[0].files.delete('web-manifest.json')
    expect((await verify('bundle', ...at(nodes[0]))).code).toBe(4)
    nodes[0].lie = (path, honest) => {
      const tip = { height: 9, hash: new Uint8Array(32), time: Date.now() }
      return path === '/v1/releases' ? cborAnswer(encodeReleaseProof({ version: 1, transactions: [], tip })) : honest
    }
    expect((await verify('bundle', ...at(nodes[0]))).code).toBe(4)
  })

  it('is not led by a node that withholds the newest release or makes one up', async () => {
    const [honest, liar] = nodes
    serve(honest, NEW)
    serve(liar, OLD)
    const { transactionAt, tip } = liar.replay
    const places = liar.replay.directory.releases().map(({ order }) => {
      const { bytes, height, index, time, blockHash } = transactionAt.call(liar.replay, order!)!
      const place = { blockHeight: height, blockHash: fromHex(blockHash), blockTime: time, txIndex: index }
      return { transaction: bytes, ...place, recordIndexes: [0] }
    })
    const told = (count: number) =>
      cborAnswer(
        encodeReleaseProof({
          version: 1,
          transactions: places.slice(0, count),
          tip: { ...tip, hash: fromHex(tip.hash) }
        })
      )
    liar.lie = (path, answer) => (path === '/v1/releases' ? told(1) : answer)
    // Alone it can hide the newest; beside an honest one it cannot.
    expect((await verify('bundle', ...at(liar))).code).toBe(0)
    const both = await verify('bundle', ...at(honest, liar))
    expect(both.code).toBe(3)
    expect(both.json.checks.filter(({ id, outcome }) => id === 'agreement' && outcome === 'unconfirmed')).toHaveLength(
      1
    )
    liar.lie = (path, answer) => (path === '/v1/releases' ? cborAnswer(Uint8Array.of(1, 2, 3)) : answer)
    expect((await verify('bundle', ...at(liar))).code).toBe(1)
  })

  it('wants nodes to look at, says which does not answer, and leaves its option to itself', async () => {
    expect((await verify('bundle', '--blockfrost', world.url, '--network', world.networkFile)).code).toBe(2)
    expect((await verify('bundle', '--node', 'http://127.0.0.1:1')).code).toBe(5)
    expect((await verify('account', '@ada', ...at(nodes[0]), '--manifest', 'x')).code).toBe(2)
    expect((await verifyText('bundle', '--help')).stdout).toContain('--manifest')
  })
})

describe('npm run release, real nodes, and volo-verify bundle', () => {
  let folder: string
  let web: string
  let nodes: LocalNetwork

  const release = (...args: string[]) => new CommandProcess('chain/release/main.ts', [...args, '--json']).ended
  const publish = () =>
    release(
      'publish',
      ...['--key', join(folder, 'release.key'), '--network', nodes.networkFile, '--blockfrost', nodes.chainUrl],
      ...['--wallet', join(folder, 'wallet.key'), '--web', web]
    )
  const manifest = (): string => {
    const script = join(root, 'scripts', 'web-manifest.js')
    return spawnSync(pinnedNode, [script, web], { encoding: 'utf8' }).stdout.trim()
  }

  beforeAll(async () => {
    folder = temporaryFolder()
    web = join(folder, 'web')
    mkdirSync(join(web, 'assets'), { recursive: true })
    cpSync(join(root, 'web', 'public'), web, { recursive: true })
    writeFileSync(join(web, 'index.html'), '<!doctype html><script src="assets/app.js"></script>')
    writeFileSync(join(web, 'assets', 'app.js'), 'start()')
    const { code, stdout } = await release('key', 'gen', '--key', join(folder, 'release.key'))
    expect(code).toBe(0)
    const { releaseKey: key } = JSON.parse(stdout) as { releaseKey: string }
    nodes = await LocalNetwork.start({
      nodes: 2,
      devnet: ['--block-ms', '500'],
      env: { VOLO_WEB_DIR: web },
      genesis: { releaseKey: fromHex(key) }
    })
  })

  afterAll(async () => {
    await nodes?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const bundle = async (wanted: number) => {
    for (const end = Date.now() + 30_000; ;) {
      const run = await verify('bundle', ...nodes.urls.flatMap(url => ['--node', url]))
      // A node may be a block behind.
      if (run.code === wanted || Date.now() > end) return run
    }
  }

  it('publish a build, hold nodes against it, and notice a changed file', async () => {
    const hash = manifest()
    const first = await publish()
    expect(first.stderr).toBe('')
    expect(JSON.parse(first.stdout)).toMatchObject({ isNew: true, manifestHash: hash })
    const again = await publish()
    expect(JSON.parse(again.stdout)).toMatchObject({ isNew: false, manifestHash: hash })
    const good = await bundle(0)
    expect([good.code, good.json.trust.reached]).toEqual([0, 'L2'])
    const listed = decodeWebManifest(readFileSync(join(web, 'web-manifest.json'))).files.length
    expect(factOf(good, 'nodes')).toMatchObject([{ same: listed + 1 }, { same: listed + 1 }])

    writeFileSync(join(web, 'assets', 'app.js'), 'steal()')
    const bad = await verify('bundle', '--node', nodes.urls[0]!)
    expect(bad.code).toBe(1)
    expect(factOf(bad, 'nodes')).toMatchObject([{ changed: ['assets/app.js'] }])

    // What is not the build of its manifest is not released.
    const refused = await publish()
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('assets/app.js is changed')])
    manifest()
    expect((await publish()).code).toBe(0)
    expect((await bundle(0)).code).toBe(0)
  })

  it('refuse a key that genesis does not name, a missing one, and what they do not understand', async () => {
    const other = join(folder, 'other.key')
    expect((await release('key', 'gen', '--key', other)).code).toBe(0)
    expect((await release('key', 'gen', '--key', other)).code).toBe(1)
    const where = [
      '--network',
      nodes.networkFile,
      '--blockfrost',
      nodes.chainUrl,
      '--wallet',
      join(folder, 'w.key'),
      '--web',
      web
    ]
    const wrong = await release('publish', '--key', other, ...where)
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('genesis names release key')])
    expect((await release('publish', '--key', join(folder, 'none'), ...where)).code).toBe(1)
    for (const args of [[], ['nothing'], ['publish'], ['key', 'gen'], ['manifest', '--nope']]) {
      expect((await release(...args)).code, args.join(' ')).toBe(2)
    }
  })
})

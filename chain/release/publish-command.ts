import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { createChainSource } from '../source/blockfrost-source.ts'
import { DurableLevel } from '../store/durable-level.ts'
import { DEVNET_MAGIC } from '../devnet/devnet.ts'
import { parseGenesis } from '../verify/sources/network-parameters.ts'
import { Wallet } from '../publish/wallet.ts'
import type { PublishArguments } from './arguments.ts'
import { readBuiltApp } from './built-app.ts'
import { publishRelease, type PublishedRelease } from './publish-release.ts'
import { readReleaseKey } from './release-key.ts'

/** Hosted sources count requests. */
const LOOK_MS = 10_000
const DEVNET_LOOK_MS = 200

/** Publishes the release of a built app. @throws ReleaseError, ChainError, VerifyError. */
export async function publish(crypto: Crypto, request: PublishArguments): Promise<PublishedRelease> {
  const { network, blockfrost, projectIdFile, minConf, timeoutMs } = request
  const app = await readBuiltApp(request.web)
  const releaseKey = await readReleaseKey(crypto, request.key)
  const genesis = parseGenesis(JSON.parse(await readFile(network, 'utf8')))
  const isDevnet = genesis.cardanoMagic === DEVNET_MAGIC
  const projectId = projectIdFile === undefined ? undefined : (await readFile(projectIdFile, 'utf8')).trim()
  await mkdir(dirname(request.wallet), { recursive: true })
  const wallet = await Wallet.open(request.wallet, genesis.cardanoMagic)
  const source = createChainSource({ url: blockfrost, devnet: isDevnet, ...(projectId && { projectId }) })
  const folder = await mkdtemp(join(tmpdir(), 'volo-release-'))
  const store = await DurableLevel.open(join(folder, 'store'))
  try {
    const lookMs = isDevnet ? DEVNET_LOOK_MS : LOOK_MS
    const signal = AbortSignal.timeout(timeoutMs)
    return await publishRelease(
      { crypto, clock: Date.now, source, wallet, store: store.sublevel('publisher'), key: releaseKey },
      { genesis, app, minConf, lookMs, signal }
    )
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

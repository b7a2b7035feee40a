/** The embedded devnet's thread: ledger rules take seconds of computing that must not hold up messages. */
import { parentPort, workerData } from 'node:worker_threads'
import { startDevnet, type StartDevnetOptions } from '../../chain/devnet/start-devnet.ts'

const running = await startDevnet(workerData as StartDevnetOptions)
parentPort!.postMessage({ url: running.url })
parentPort!.once('message', () => {
  void running.stop().finally(() => parentPort!.close())
})

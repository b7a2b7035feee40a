/** The embedded devnet's thread: ledger rules take seconds of computing that must not hold up messages. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { startDevnet, type StartDevnetOptions } from '../../chain/devnet/start-devnet.ts'
import type { DevnetMessage } from './embedded-devnet.ts'

const running = await startDevnet(workerData as StartDevnetOptions)
parentPort!.postMessage({ url: running.url })
parentPort!.on('message', (message: DevnetMessage) => {
  if (message !== 'stop') void serveSnapshot(running.devnet.chain, message.snapshot)
  else void running.stop().finally(() => parentPort!.close())
})

/** Answers each message on the port with the next chunk of the chain's store, and at the end with null. */
async function serveSnapshot(chain: typeof running.devnet.chain, port: MessagePort): Promise<void> {
  const snapshot = await chain.snapshot()
  port.postMessage(snapshot.version)
  const chunks = snapshot.chunks()
  port.once('close', () => void chunks.return(undefined).finally(() => snapshot.release()))
  port.on('message', () => {
    void chunks.next().then(next => port.postMessage(next.done ? null : next.value))
  })
}

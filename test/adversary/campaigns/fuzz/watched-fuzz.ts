/**
 * Fuzzes in a thread of its own, so that an input on which a parser never returns, or that takes the thread down, is
 * found and named.
 */
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { runFuzz, type FuzzInit, type FuzzReport } from './fuzz.ts'

type ThreadInit = Pick<FuzzInit, 'seed' | 'inputs' | 'from' | 'budgetMs'>

/** No single input may take this long; noticed only now and then, so it is well above what {@link runFuzz} allows. */
const HANG_MS = 30_000
const LOOK_EVERY_MS = 5_000
/** Marks the thread as ours, should this file be loaded in somebody else's. */
const ROLE = 'volo fuzz'

interface ThreadData {
  role: typeof ROLE
  init: ThreadInit
  progress: SharedArrayBuffer
}

/** As {@link runFuzz}; a hang or a crash ends it and is one failure more. */
export function watchFuzz(init: ThreadInit): Promise<FuzzReport> {
  const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const current = new Int32Array(progress)
  const data: ThreadData = { role: ROLE, init, progress }
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data })
  const ended = (what: string): FuzzReport => {
    const index = Atomics.load(current, 0)
    const failures = [`input ${index} of seed ${init.seed}: ${what}`]
    return { inputs: index - (init.from ?? 0) + 1, targets: 0, taken: 0, slowestMs: HANG_MS, slowest: '', failures }
  }
  return new Promise(resolve => {
    let last = -1
    let since = performance.now()
    const watch = setInterval(() => {
      const index = Atomics.load(current, 0)
      if (index !== last) [last, since] = [index, performance.now()]
      else if (performance.now() - since > HANG_MS) finish(ended(`no end within ${HANG_MS / 1_000} s`))
    }, LOOK_EVERY_MS)
    const finish = (report: FuzzReport): void => {
      clearInterval(watch)
      void worker.terminate()
      resolve(report)
    }
    worker.once('message', (report: FuzzReport) => finish(report))
    worker.once('error', error => finish(ended(String(error))))
    worker.once('exit', code => finish(ended(`the thread ended with ${code}`)))
  })
}

if (!isMainThread && (workerData as Partial<ThreadData> | null)?.role === ROLE) {
  const { init, progress } = workerData as ThreadData
  const current = new Int32Array(progress)
  const report = await runFuzz({ ...init, onInput: index => Atomics.store(current, 0, index) })
  parentPort!.postMessage(report)
}

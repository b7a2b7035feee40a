import type { FramePort, HostFrame, TabFrame } from './frames.ts'

/** First pause before a worker that ended is started again; doubles up to {@link MAX_PAUSE_MS} while none answers. */
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000

/** The part of a shared worker that a tab uses. */
export interface StartedWorker {
  readonly port: MessagePort
  addEventListener(type: 'error', listener: () => void): void
}

/**
 * A tab's port to the shared worker. The worker lives in the process of one of the tabs: when that one crashes, the others
 * start another worker. No browser tells a port that its other end has crashed, but a lock that the worker held is
 * free then.
 *
 * @param start - starts the worker, or connects to the one that runs.
 */
export function sharedWorkerFrames(start: () => StartedWorker): FramePort<TabFrame, HostFrame> {
  let port: MessagePort | undefined
  let pause = FIRST_PAUSE_MS
  const connect = (onFrame: (frame: HostFrame) => void, onLost: () => void): void => {
    const worker = start()
    const mine = (port = worker.port)
    const lose = (): void => {
      if (port !== mine) return
      port = undefined
      // Some browsers report an error of a worker that goes on running: its frames must not reach this tab twice.
      mine.postMessage({ kind: 'bye' } satisfies TabFrame)
      mine.close()
      onLost()
      setTimeout(() => connect(onFrame, onLost), pause)
      pause = Math.min(2 * pause, MAX_PAUSE_MS)
    }
    worker.addEventListener('error', lose)
    mine.onmessage = ({ data }: MessageEvent<HostFrame>) => {
      pause = FIRST_PAUSE_MS
      if (data.kind === 'hello' && data.life) void navigator.locks.request(data.life, { mode: 'shared' }, lose)
      onFrame(data)
    }
  }
  return {
    send: frame => port?.postMessage(frame),
    listen: (onFrame, onLost = () => undefined) => connect(onFrame, onLost)
  }
}

import { fork, type ChildProcess } from 'node:child_process'
import { pinnedNode, runnable } from '../support/network/real-processes/node-process.ts'

/** A process of a measurement that answers one request after the other over its IPC channel. */
export class Worker<Request> {
  readonly #child: ChildProcess
  #turn: Promise<unknown> = Promise.resolve()

  /** @param file - below the checkout; it answers `{ value }` or `{ error }`, and ends when the channel does. */
  constructor(file: string, args: string[] = []) {
    this.#child = fork(runnable(file), args, { execPath: pinnedNode, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  /** @throws Error with the worker's reason, or if it ends before it answers. */
  ask<T>(request: Request): Promise<T> {
    const answer = this.#turn.then(() => this.#ask<T>(request))
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  /** Ends the process; safe to call twice. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    if (this.#child.connected) this.#child.disconnect()
    else this.#child.kill()
    await ended
  }

  #ask<T>(request: Request): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('a process of the measurement ended early'))
      this.#child.once('exit', ended)
      this.#child.once('message', (answer: { value?: T; error?: string }) => {
        this.#child.off('exit', ended)
        if (answer.error === undefined) resolve(answer.value as T)
        else reject(new Error(answer.error))
      })
      this.#child.send(request as object)
    })
  }
}

/** Answers the requests of a {@link Worker}'s owner, and ends with it. */
export function serveRequests<Request>(answer: (request: Request) => Promise<unknown>): void {
  process.on('message', (request: Request) => {
    void answer(request).then(
      value => process.send!({ value }),
      (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) })
    )
  })
  process.on('disconnect', () => process.exit())
}

import { readFrame } from './qr-reader.ts'

/** Pause between two looks at what the camera sees. */
const LOOK_PAUSE_MS = 120

/** Why there is no picture. */
export type CameraProblem = 'forbidden' | 'missing' | 'failed'

/** The part of `navigator.mediaDevices` in use; undefined where pages may not use a camera. */
type Cameras = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'> | undefined

/** The camera of this device, while it looks for a QR code. */
export class CodeCamera {
  /** Whether there is a camera to be asked for. */
  isThere = $state(false)
  stream = $state.raw<MediaStream | null>(null)
  isStarting = $state(false)
  problem = $state<CameraProblem | null>(null)
  readonly #cameras: Cameras

  constructor(cameras: Cameras) {
    this.#cameras = cameras
  }

  /** Finds out whether there is a camera. Asks the person for nothing. */
  async lookFor(): Promise<void> {
    const devices = await this.#cameras?.enumerateDevices().catch(() => [])
    this.isThere = devices?.some(({ kind }) => kind === 'videoinput') ?? false
  }

  /** Starts the camera; the browser asks the person first. */
  async start(): Promise<void> {
    if (this.isStarting || this.stream || !this.#cameras) return
    this.problem = null
    this.isStarting = true
    try {
      const video = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } }
      const stream = await this.#cameras.getUserMedia({ video, audio: false })
      // The person may have left meanwhile.
      if (this.isStarting) this.stream = stream
      else stopTracks(stream)
    } catch (error) {
      this.problem = problemOf(error)
    } finally {
      this.isStarting = false
    }
  }

  stop(): void {
    this.isStarting = false
    if (this.stream) stopTracks(this.stream)
    this.stream = null
  }

  /** Looks at what the camera sees until it stops. @param onText - called with the text of each QR code that is seen. */
  async watch(video: HTMLVideoElement, onText: (text: string) => void): Promise<void> {
    const { stream } = this
    while (stream !== null && this.stream === stream) {
      const text = await readFrame(video)
      if (text !== null && this.stream === stream) onText(text)
      await new Promise(resolve => setTimeout(resolve, LOOK_PAUSE_MS))
    }
  }
}

const stopTracks = (stream: MediaStream): void => stream.getTracks().forEach(track => track.stop())

function problemOf(error: unknown): CameraProblem {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'forbidden'
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'failed'
}

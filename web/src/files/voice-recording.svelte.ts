/** Records a voice note, with its loudness over time. */

/** Bars of a waveform; see `MAX_WAVEFORM_BYTES` of the protocol. */
const BARS = 64
const LOOK_MS = 50
/** Longest note: a quarter of an hour. */
const MAX_MS = 15 * 60_000
const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus']

/** What was recorded. */
export interface Recorded {
  content: Blob
  durationMs: number
  waveform: Uint8Array
}

export class VoiceRecording {
  state = $state<'idle' | 'recording' | 'refused'>('idle')
  seconds = $state(0)
  /** Of this moment, 0 to 1. */
  loudness = $state(0)

  #recorder: MediaRecorder | undefined
  #context: AudioContext | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #levels: number[] = []
  #startedAt = 0

  /** Whether this browser can record. */
  static get isPossible(): boolean {
    return typeof MediaRecorder !== 'undefined' && navigator.mediaDevices !== undefined
  }

  /** Asks for the microphone and begins. */
  async start(): Promise<void> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
      const type = TYPES.find(each => MediaRecorder.isTypeSupported(each))
      this.#recorder = new MediaRecorder(stream, {
        ...(type !== undefined && { mimeType: type }),
        audioBitsPerSecond: 32_000
      })
    } catch {
      this.state = 'refused'
      return
    }
    this.#levels = []
    this.#startedAt = performance.now()
    this.seconds = 0
    this.#listen(this.#recorder.stream)
    this.#recorder.start()
    this.state = 'recording'
  }

  #listen(stream: MediaStream): void {
    const context = (this.#context = new AudioContext())
    const analyser = context.createAnalyser()
    analyser.fftSize = 512
    context.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
      this.loudness = Math.min(1, Math.sqrt(power) * 4)
      this.#levels.push(this.loudness)
      this.seconds = (performance.now() - this.#startedAt) / 1000
      if (this.seconds * 1000 >= MAX_MS) this.#recorder?.stop()
    }, LOOK_MS)
  }

  /** Ends it. @returns undefined if nothing was recorded. */
  async finish(): Promise<Recorded | undefined> {
    const recorder = this.#recorder
    if (!recorder || this.state !== 'recording') return undefined
    const parts: Blob[] = []
    const ended = new Promise<void>(resolve => (recorder.onstop = () => resolve()))
    recorder.ondataavailable = ({ data }) => parts.push(data)
    if (recorder.state === 'inactive') recorder.onstop?.(new Event('stop'))
    else recorder.stop()
    await ended
    const durationMs = Math.round(performance.now() - this.#startedAt)
    this.cancel()
    const content = new Blob(parts, { type: recorder.mimeType })
    return content.size === 0 ? undefined : { content, durationMs, waveform: waveformOf(this.#levels) }
  }

  /** Drops what was recorded, and lets the microphone go. */
  cancel(): void {
    clearInterval(this.#timer)
    for (const track of this.#recorder?.stream.getTracks() ?? []) track.stop()
    void this.#context?.close().catch(() => undefined)
    this.#recorder = undefined
    this.#context = undefined
    this.state = 'idle'
  }
}

/** The loudest of each part, 0 to 255. */
export function waveformOf(levels: readonly number[], bars = BARS): Uint8Array {
  if (levels.length === 0) return new Uint8Array()
  const count = Math.min(bars, levels.length)
  return Uint8Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * levels.length) / count)
    const until = Math.max(from + 1, Math.floor(((bar + 1) * levels.length) / count))
    return Math.round(255 * Math.min(1, Math.max(...levels.slice(from, until))))
  })
}

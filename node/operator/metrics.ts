import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { MetricSample } from '../ports.ts'

/** Collects what parts of the node count, for Prometheus. Numbers only: no ids, no addresses. */
export class Metrics {
  readonly #registry = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Adds a source whose samples are read whenever the metrics are; a part may add names later on. */
  addSource(read: () => MetricSample[]): void {
    const known = new Map<string, Counter | Gauge>()
    const refresh = (): void => {
      for (const { name, help, type, value } of read()) {
        let metric = known.get(name)
        if (metric === undefined) {
          const configuration = { name, help, registers: [this.#registry] }
          metric = type === 'counter' ? new Counter(configuration) : new Gauge(configuration)
          known.set(name, metric)
        }
        if (metric instanceof Gauge) metric.set(value)
        else {
          metric.reset()
          metric.inc(value)
        }
      }
    }
    this.#sources.push(refresh)
  }

  readonly #sources: (() => void)[] = []

  /** All metrics as Prometheus text. */
  text(): Promise<string> {
    for (const refresh of this.#sources) refresh()
    return this.#registry.metrics()
  }

  /** Type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType
  }
}

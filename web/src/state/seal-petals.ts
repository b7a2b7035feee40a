/** One petal of a seal: which way it points and how long and wide it is, in a circle of radius 1. */
export interface Petal {
  /** Degrees, clockwise from the top. */
  angle: number
  length: number
  width: number
}

const PETALS = 12
const DEGREES = 360 / PETALS
const SHORTEST = 0.64
const LENGTH_STEP = 0.12
const NARROWEST = 0.17
const WIDTH_STEP = 0.045
/** Where petals begin; the middle stays open. */
const CORE = 0.17

/**
 * The twelve petals of a person's seal, from the first 48 bits of the account id: four bits each, two for the length and
 * two for the width. @param accountId - lower-case hex, at least 12 characters.
 */
export function sealPetals(accountId: string): Petal[] {
  return Array.from({ length: PETALS }, (_, index) => {
    const bits = Number.parseInt(accountId.charAt(index), 16) || 0
    return {
      angle: index * DEGREES,
      length: SHORTEST + (bits >> 2) * LENGTH_STEP,
      width: NARROWEST + (bits & 3) * WIDTH_STEP
    }
  })
}

/** All petals as one SVG path around the point 0 0. @param radius - of the whole seal, in the path's units. */
export function sealPath(accountId: string, radius: number): string {
  return sealPetals(accountId)
    .map(({ angle, length, width }) => {
      const turn = (angle * Math.PI) / 180
      const point = (distance: number, aside: number) => {
        const x = radius * (aside * Math.cos(turn) + distance * Math.sin(turn))
        const y = radius * (aside * Math.sin(turn) - distance * Math.cos(turn))
        return `${x.toFixed(2)} ${y.toFixed(2)}`
      }
      // A leaf: widest near its tip, which is round.
      const low = CORE + (length - CORE) * 0.45
      const side = width * 0.72
      return (
        `M${point(CORE, 0)}C${point(low, side * 0.75)} ${point(length, side)} ${point(length, 0)}` +
        `C${point(length, -side)} ${point(low, -side * 0.75)} ${point(CORE, 0)}Z`
      )
    })
    .join('')
}

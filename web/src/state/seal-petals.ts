/** One petal of a seal: which way it points and how long and wide it is, in a circle of radius 1. */
export interface Petal {
  /** Degrees, clockwise from the top. */
  angle: number
  length: number
  width: number
}

const PETALS = 12
const DEGREES = 360 / PETALS
const SHORTEST = 0.52
const LENGTH_STEP = 0.16
const NARROWEST = 0.15
const WIDTH_STEP = 0.075

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

/** All petals as one SVG path around a centre. @param radius - of the whole seal. @param core - where petals begin, 0 to 1. */
export function sealPath(accountId: string, radius: number, core: number): string {
  return sealPetals(accountId)
    .map(({ angle, length, width }) => {
      const point = (distance: number, aside: number) => {
        const turn = (angle * Math.PI) / 180
        const x = radius * (aside * Math.cos(turn) + distance * Math.sin(turn))
        const y = radius * (aside * Math.sin(turn) - distance * Math.cos(turn))
        return `${x.toFixed(2)} ${y.toFixed(2)}`
      }
      const middle = core + (length - core) * 0.55
      const side = width / 2
      return `M${point(core, 0)}Q${point(middle, side * 2)} ${point(length, 0)}Q${point(middle, -side * 2)} ${point(core, 0)}Z`
    })
    .join('')
}

/** Parts of a page that are computed: they stand between `<!-- numbers: NAME -->` and `<!-- end -->`. */
const PART = /(<!-- numbers: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g

/** Puts newly computed parts in. @throws Error for a part that nobody computes, or one that has no place in the page. */
export function withNumbers(page: string, parts: Readonly<Record<string, () => string>>): string {
  const missing = new Set(Object.keys(parts))
  const result = page.replace(PART, (_whole, begin: string, name: string, end: string) => {
    const compute = parts[name]
    if (!compute) throw new Error(`nobody computes "${name}"`)
    missing.delete(name)
    return `${begin}\n${compute()}\n\n${end}`
  })
  if (missing.size > 0) throw new Error(`the page has no place for ${[...missing].join(', ')}`)
  return result
}

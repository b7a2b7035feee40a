declare const brand: unique symbol

/** A nominal type: two ids of the same JavaScript type never mix. Made once, at the parser. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/**
 * A name or another text of unknown direction inside a sentence: the marks keep it from changing the order of the words
 * around it (Unicode TR9: FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE). `@ada` inside Arabic needs it most.
 */
export const isolated = (text: string): string => `\u2068${text}\u2069`

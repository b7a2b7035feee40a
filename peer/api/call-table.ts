/** Whether a call whose answer got lost may be made a second time, as when the worker had to start again. */
export type Repeat = 'repeat' | 'give-up'

/** Every call of one area. What is not listed here cannot be called through the worker. */
export type CallTable<Area> = { readonly [Method in keyof Area]: Repeat }

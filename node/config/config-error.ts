/** Wrong configuration or usage: the message is a sentence, or a line for each fault, that says what to do. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

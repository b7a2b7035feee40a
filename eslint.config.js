/** Components, and the TypeScript beside them that has runes. All other code is read by oxlint, see .oxlintrc.json. */
import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'

const files = ['**/*.svelte', '**/*.svelte.ts']

export default ts.config(
  {
    ignores: ['dist/', 'node_modules/', 'test-results/', '.data/', '.cache/', '**/*.js', '**/*.ts', '!**/*.svelte.ts']
  },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    files,
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'] },
      globals: globals.browser
    },
    rules: {
      // Text of other people must never become markup.
      'svelte/no-at-html-tags': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error'
    }
  }
)

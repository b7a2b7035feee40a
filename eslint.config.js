import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'test-results/', '.data/', '.cache/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ['{protocol,chain,storage-adapter,peer,node,test}/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A promise nobody waits for is an error nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error'
    }
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'] },
      globals: globals.browser
    },
    // Text of other people must never become markup.
    rules: { 'svelte/no-at-html-tags': 'error' }
  },
  { files: ['web/**/*.ts'], languageOptions: { globals: { ...globals.browser, ...globals.serviceworker } } },
  { files: ['web/public/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['{scripts,bin,test}/**/*.js', '*.js'], languageOptions: { globals: globals.node } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'off',
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The codec combinators are generic over "any field type" on purpose; everywhere else `any` stays out.
      '@typescript-eslint/no-explicit-any': 'error'
    }
  },
  { files: ['protocol/codec.ts'], rules: { '@typescript-eslint/no-explicit-any': 'off' } }
)

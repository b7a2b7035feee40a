import { describe, expect, it } from 'vitest'
import { parseReturnTo } from '../../../../node/http/sign-in-routes.ts'

describe('return address of a sign-in', () => {
  it.each([
    '/',
    'http://127.0.0.1:5000',
    'http://127.0.0.1:5000/',
    'http://localhost:1/done',
    'http://[::1]:65535/a/b.html'
  ])('may be %s', returnTo => {
    expect(parseReturnTo(returnTo)).toBe(returnTo)
  })

  it.each([
    '',
    '//evil.example',
    '/\\evil.example',
    '/elsewhere',
    '/#/x',
    'https://evil.example/',
    'https://127.0.0.1:5000/',
    'http://127.0.0.1/',
    'http://127.0.0.1:5000@evil.example/',
    'http://127.0.0.1:99999/',
    'http://127.0.0.1.evil.example:80/',
    'http://localhost.evil.example:80/',
    'http://user@localhost:80/',
    'http://127.0.0.1:5000/#fragment',
    'http://127.0.0.1:5000/?query',
    'http://127.0.0.1:5000/\r\nset-cookie:a=b',
    'javascript:alert(1)',
    'data:text/html,x'
  ])('may not be %j', returnTo => {
    expect(() => parseReturnTo(returnTo)).toThrow(expect.objectContaining({ code: 'bad-return' }))
  })
})

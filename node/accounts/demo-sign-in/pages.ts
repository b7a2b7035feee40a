/** The demo provider's own pages: plain HTML that works without scripts, from no other host. */

/** Longest demo user name. */
export const MAX_LOGIN_LENGTH = 64

/** The name that a visitor wants, or undefined for one that no form of ours sends. */
export function parseLogin(value: string | null): string | undefined {
  const login = value?.trim() ?? ''
  return login.length <= MAX_LOGIN_LENGTH && /^[\p{L}\p{N}._@+-]+$/u.test(login) ? login : undefined
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/demo-sign-in/style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`

/** Asks who to be. @param action - address of the form. @param problem - shown above the field. */
export function loginPage(action: string, problem?: string): string {
  const alert = problem ? `<p class="problem" id="problem" role="alert">${escapeHtml(problem)}</p>` : ''
  return page(
    'Demo sign-in',
    `<p class="label">Demo sign-in</p>
<h1>Who would you like to be?</h1>
<p id="about">Anybody can be anybody here: there is no password. It stands in for a real sign-in while you try Volo.</p>
<form method="post" action="${escapeHtml(action)}">
${alert}
<label for="login">Demo user name</label>
<input id="login" name="login" type="text" required maxlength="${MAX_LOGIN_LENGTH}" autocomplete="off"
 autocapitalize="none" spellcheck="false" autofocus aria-describedby="about${problem ? ' problem' : ''}">
<button type="submit">Sign in</button>
</form>`
  )
}

/** Says that a sign-in cannot go on. */
export function problemPage(message: string): string {
  return page(
    'Demo sign-in: something went wrong',
    `<p class="label">Demo sign-in</p>
<h1>This sign-in cannot go on</h1>
<p>${escapeHtml(message)}</p>
<p><a href="/">Back to Volo</a></p>`
  )
}

/** Look of the pages, by the colours and sizes of the app. */
export const STYLE = `:root {
  color-scheme: light dark;
  --bg: light-dark(#f7f4ee, #0f171b);
  --surface: light-dark(#ffffff, #162127);
  --ink: light-dark(#17242b, #e9eeec);
  --muted: light-dark(#53626b, #a3b1b4);
  --line: light-dark(#7c8782, #6b7a7f);
  --hair: light-dark(#d9d3c6, #26343a);
  --accent: light-dark(#0e5a63, #6cc7c9);
  --on-accent: light-dark(#ffffff, #06282c);
  --seal: light-dark(#8a5a00, #e8b64c);
  --seal-bg: light-dark(#fbefd3, #33290f);
  --danger: light-dark(#a3212f, #ff8a8f);
  --focus: light-dark(#0b63ce, #8ab8ff);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  min-height: 100dvh;
  display: grid;
  place-items: center;
  padding: 24px 16px;
  background: var(--bg);
  color: var(--ink);
  font: 16px/24px 'Atkinson Hyperlegible Next', system-ui, sans-serif;
}
main {
  width: 100%;
  max-width: 26rem;
  padding: 32px 24px;
  background: var(--surface);
  border: 1px solid var(--hair);
  border-radius: 14px;
}
h1 { margin: 16px 0 8px; font-size: 22px; line-height: 28px; }
p { margin: 0 0 16px; color: var(--muted); }
.label {
  display: inline-block;
  margin: 0;
  padding: 4px 12px;
  border-radius: 999px;
  background: var(--seal-bg);
  color: var(--seal);
  font-size: 14px;
  line-height: 20px;
  font-weight: 600;
}
.problem { color: var(--danger); }
label { display: block; margin-bottom: 4px; font-weight: 600; }
input, button {
  width: 100%;
  min-height: 44px;
  padding: 8px 12px;
  border-radius: 6px;
  font: inherit;
}
input { border: 1px solid var(--line); background: var(--bg); color: var(--ink); }
button {
  margin-top: 16px;
  border: 1px solid transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  cursor: pointer;
}
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
`

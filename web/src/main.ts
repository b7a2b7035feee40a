import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { LanguageChoice } from './state/language-choice.svelte.ts'
import { ownStorage } from './state/own-storage.ts'

const target = document.getElementById('app')
if (!target) throw new Error('index.html has no #app')
const storage = ownStorage()
const languages = await LanguageChoice.open({
  root: document.documentElement,
  storage,
  preferred: navigator.languages
})
mount(App, { target, props: { languages, storage } })
